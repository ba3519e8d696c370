import { useState, type ReactNode } from 'react'
import { useSignOut } from '../api/commands.ts'
import { paths } from '../paths.ts'
import { Link, navigate } from '../router.tsx'
import { IconButton } from '../ui/Button.tsx'
import { useHotkeys } from '../ui/hotkeys.ts'
import { Icon } from '../ui/Icon.tsx'
import { ConnectionState } from './ConnectionState.tsx'
import { FleetCount } from './FleetStrip.tsx'
import { Logo } from './Logo.tsx'
import { ShortcutsDialog } from './ShortcutsDialog.tsx'
import { ThemeToggle } from './ThemeToggle.tsx'

/** The frame around every page of somebody who is signed in. */
export function Layout({ children }: { children: ReactNode }) {
  const [help, setHelp] = useState(false)
  useHotkeys({ '?': () => setHelp(true), c: () => navigate(paths.newTask()) })
  return (
    <>
      <a
        href="#main"
        className="sr-only focus:not-sr-only focus:absolute focus:z-20 focus:m-2 focus:rounded-md focus:bg-panel focus:p-2"
      >
        Skip to content
      </a>
      <header className="sticky top-0 z-10 border-b border-edge bg-panel">
        <div className="mx-auto flex h-12 max-w-[110rem] items-center gap-1 px-3 sm:px-5">
          <Link
            href={paths.tasks()}
            className="mr-auto inline-flex min-h-8 items-center gap-2 rounded-md font-semibold"
          >
            <Logo />
            <span className="max-[26rem]:sr-only">Muster</span>
          </Link>
          <ConnectionState />
          <FleetCount />
          <Link
            href={paths.models()}
            aria-label="Models"
            title="Models"
            className="inline-flex size-8 items-center justify-center rounded-md text-muted hover:bg-hover hover:text-text max-sm:hidden pointer-coarse:size-11"
          >
            <Icon name="chip" />
          </Link>
          <IconButton
            label="Keyboard shortcuts"
            icon="keyboard"
            onClick={() => setHelp(true)}
            className="max-sm:hidden"
          />
          <ThemeToggle />
          <Link
            href={paths.settings()}
            aria-label="Settings"
            title="Settings"
            className="inline-flex size-8 items-center justify-center rounded-md text-muted hover:bg-hover hover:text-text pointer-coarse:size-11"
          >
            <Icon name="gear" />
          </Link>
          <SignOut />
        </div>
      </header>
      <main id="main" tabIndex={-1} className="mx-auto max-w-[110rem] px-3 py-4 outline-none sm:px-5">
        {children}
      </main>
      {help && <ShortcutsDialog onClose={() => setHelp(false)} />}
    </>
  )
}

function SignOut() {
  const signOut = useSignOut()
  const leave = () => signOut.mutate(undefined, { onSuccess: () => navigate(paths.signIn('/')) })
  return <IconButton label="Sign out" icon="exit" onClick={leave} />
}
