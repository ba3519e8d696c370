import { afterAll, afterEach, beforeAll } from 'vitest'
import { buildWeb } from '../../apps/web/build.ts'
import { FakeHub } from './fake-hub.ts'
import {
  launchBrowser,
  signInByLink,
  type LaunchedBrowser,
  type LaunchOptions,
  type WatchedPage,
} from './harness.ts'

export type Stage = {
  hub: FakeHub
  /** A page of a signed-in person, on the task list. */
  enter(): Promise<WatchedPage>
  open(path: string): Promise<WatchedPage>
}

/** One hub and one browser for a file; after each test its pages are closed and what troubled them is a failure. */
export function setStage(options: LaunchOptions = {}): Stage {
  const hub = new FakeHub()
  const pages: WatchedPage[] = []
  let browser: LaunchedBrowser

  beforeAll(async () => {
    await buildWeb()
    await hub.start()
    browser = await launchBrowser(options)
  })
  afterEach(async () => {
    const trouble = pages.flatMap((page) => page.trouble)
    for (const page of pages.splice(0)) await page.close()
    await browser.context.clearCookies()
    hub.refusals.clear()
    if (trouble.length > 0) throw new Error(trouble.join('\n'))
  })
  afterAll(async () => {
    await browser.close()
    await hub.stop()
  })

  const newPage = async () => {
    const page = await browser.newPage()
    pages.push(page)
    return page
  }
  return {
    hub,
    async enter() {
      const page = await newPage()
      await signInByLink(page, hub.signInLink())
      return page
    },
    async open(path) {
      const page = await newPage()
      await page.goto(hub.url + path)
      return page
    },
  }
}
