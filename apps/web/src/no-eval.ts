// The schemas compile themselves with `new Function` where they can. The hub's policy forbids it, and even the
// probe for it is reported as a violation, so they are told not to try. Must be imported before any schema.
const shared = globalThis as { __zod_globalConfig?: { jitless?: boolean } }
shared.__zod_globalConfig = { ...shared.__zod_globalConfig, jitless: true }
