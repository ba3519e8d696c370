#!/usr/bin/env node
import { join } from 'node:path'
import { root } from './install.mjs'
import { runNode } from './run.mjs'

await runNode([join(root, 'apps/cli/src/main.ts'), ...process.argv.slice(2)])
