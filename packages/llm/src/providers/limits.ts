/** A server may be hostile or broken. An answer of 100 000 tokens is about half a megabyte of text. */
export const maxStreamBytes = 32 * 2 ** 20
/** The longest line of a stream. Calls are whole in one line at Ollama, so a file that is written must fit. */
export const maxLineBytes = 4 * 2 ** 20
/** How much of an error's body is read, and for how long. */
export const maxErrorBytes = 64 * 1024
export const maxErrorMs = 2_000
export const maxMessageCharacters = 500
export const defaultSilenceMs = 120_000
