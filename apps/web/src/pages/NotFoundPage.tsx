import { usePageTitle } from '../components/page-title.ts'
import { paths } from '../paths.ts'
import { goBack, Link } from '../router.tsx'
import { buttonClass } from '../ui/Button.tsx'
import { useHotkeys } from '../ui/hotkeys.ts'

export function NotFoundPage({ what }: { what: 'page' | 'task' }) {
  usePageTitle('Not found')
  useHotkeys({ Escape: () => goBack(paths.tasks()) })
  return (
    <div className="mx-auto grid max-w-md justify-items-start gap-3 py-16">
      <h1 className="text-xl font-semibold">There is no such {what}</h1>
      <p className="text-muted">
        {what === 'task'
          ? 'No task of this workspace has that id. It may have been deleted, or belong to another workspace.'
          : 'The address leads nowhere. It may have been typed wrongly, or come from another version.'}
      </p>
      <Link href={paths.tasks()} className={buttonClass('primary')}>
        To the tasks
      </Link>
    </div>
  )
}
