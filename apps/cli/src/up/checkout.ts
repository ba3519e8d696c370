import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url))))))

/** Where the other parts' sources are. */
export const checkout = {
  root,
  hub: join(root, 'apps/hub/src/main.ts'),
  worker: join(root, 'apps/worker/src/main.ts'),
  webBuild: join(root, 'apps/web/build.ts'),
  webDist: join(root, 'apps/web/dist'),
} as const
