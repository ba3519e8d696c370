#!/usr/bin/env node
import { join } from 'node:path'
import { root } from './install.mjs'
import { runNode } from './run.mjs'
import { startsWhatStays } from './running.mjs'

const words = process.argv.slice(2)
// What stays must have the packages of the lock file.
await runNode([join(root, 'apps/cli/src/main.ts'), ...words], { asTheyAre: !startsWhatStays(words) })
