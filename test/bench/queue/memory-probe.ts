import { memoryNow } from './memory.ts'

// Loaded into the hub before its own program, so that it can be asked what it holds.
process.on('message', (message) => {
  if (message === 'memory') process.send?.({ memory: memoryNow() })
})
