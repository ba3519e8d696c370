import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { chromium, type BrowserContext, type Page } from 'playwright-core'

const executablePath = process.env['MUSTER_CHROMIUM'] ?? '/usr/bin/chromium'

const quietArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export type LaunchedBrowser = {
  context: BrowserContext
  /** A page whose errors, refused scripts and requests to other origins are gathered. */
  newPage(): Promise<WatchedPage>
  close(): Promise<void>
}

/** `trouble` holds what a healthy page never has: uncaught errors, policy violations, foreign requests. */
export type WatchedPage = Page & { trouble: string[] }

export type LaunchOptions = { width?: number; height?: number; dark?: boolean; reducedMotion?: boolean }

/** The system's Chromium with a profile of its own, which is removed with it. */
export async function launchBrowser(options: LaunchOptions = {}): Promise<LaunchedBrowser> {
  const profile = await mkdtemp(path.join(tmpdir(), 'muster-browser-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    args: quietArguments,
    viewport: { width: options.width ?? 1440, height: options.height ?? 900 },
    colorScheme: options.dark === true ? 'dark' : 'light',
    reducedMotion: options.reducedMotion === true ? 'reduce' : 'no-preference',
  })
  context.setDefaultTimeout(15_000)
  return {
    context,
    newPage: async () => watch(await context.newPage()),
    async close() {
      await context.close()
      await rm(profile, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

function watch(page: Page): WatchedPage {
  const trouble: string[] = []
  page.on('pageerror', (error) => trouble.push(`uncaught: ${error.message}`))
  page.on('console', (message) => {
    if (/Content Security Policy|Warning:/.test(message.text())) trouble.push(message.text())
  })
  page.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url())
    const own = ['127.0.0.1', 'localhost', '[::1]'].includes(hostname)
    if (/^(?:https?|wss?):$/.test(protocol) && !own) trouble.push(`asked for ${request.url()}`)
  })
  return Object.assign(page, { trouble })
}

/** Opens a one-time link, declines the offer of a password and stands on the task list. */
export async function signInByLink(page: Page, url: string): Promise<void> {
  await page.goto(url)
  const tasks = page.getByRole('heading', { name: 'Tasks', exact: true })
  const later = page.getByRole('button', { name: 'Not now' })
  await tasks.or(later).waitFor()
  if (await later.isVisible()) await later.click()
  await tasks.waitFor()
}
