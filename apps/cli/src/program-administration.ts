import type { Command } from 'commander'
import type { Define, Does } from './define.ts'
import { addCostCommands } from './program-cost.ts'
import { addModelCommands } from './program-model.ts'
import { addQueueCommands, addWorkerVerbs } from './program-queue.ts'
import { atMost } from './option-values.ts'

export function addAdministration(root: Command, define: Define, does: Does): void {
  addRepoCommands(root, define, does)
  addWorkerCommands(root, define, does)
  addModelCommands(root, define, does)
  addCostCommands(root, define, does)
  addTokenCommands(root, define, does)
  addQueueCommands(root, define, does)
  const event = define(root, 'event', 'what happened, in the order in which it became true', [
    'npx muster event list',
    'npx muster event list --task 7f3a9c21',
  ])
  const events = define(event, 'list', 'list events', [
    'npx muster event list --limit 500',
    'npx muster event list --after CURSOR --json',
  ])
    .option('--task <task>', 'only of this task')
    .option('--after <cursor>', 'read on after this event')
    .option('--limit <n>', 'at most so many', atMost(500))
  does(events, async () => (await import('./commands/event.ts')).listEvents)
  const describe = define(root, 'describe', 'the whole command tree, for programs', [
    'npx muster describe --json',
    'npx muster describe',
  ])
  describe.action(async () => (await import('./commands/describe.ts')).describe(root))
}

export function addLifecycle(root: Command, define: Define, does: Does): void {
  const up = define(root, 'up', 'start Muster here: database, hub, pages and one worker', [
    'npm start',
    'MUSTER_PORT=4700 MUSTER_DATA=/srv/muster npx muster up',
  ])
  does(up, async () => (await import('./up/up.ts')).up)
  const demo = define(
    root,
    'demo',
    'a whole task on a small project, played by the practice model: needs no model',
    ['npx muster demo', 'npx muster demo --json'],
  ).option('--show', 'print the script that is played, to write one like it')
  does(demo, async () => (await import('./commands/demo.ts')).demo)
  const down = define(root, 'down', 'stop it and wait until everything has ended', [
    'npx muster down',
    'MUSTER_DATA=/srv/muster npx muster down',
  ])
  does(down, async () => (await import('./up/down.ts')).down)
  const status = define(root, 'status', 'what runs, where, and how much there is to do', [
    'npx muster status',
    'npx muster status --json',
  ])
  does(status, async () => (await import('./commands/status.ts')).status)
  const doctor = define(root, 'doctor', 'look for what is wrong; each finding names what helps', [
    'npx muster doctor',
    'npx muster doctor --json',
  ])
  does(doctor, async () => (await import('./doctor/doctor.ts')).doctor)
  const signIn = define(root, 'sign-in', 'make a one-time link that opens the pages', [
    'npx muster sign-in',
    'xdg-open "$(npx muster sign-in)"',
  ])
  does(signIn, async () => (await import('./commands/sign-in.ts')).signIn)
}

function addRepoCommands(root: Command, define: Define, does: Does): void {
  const repo = define(root, 'repo', 'repositories that tasks may be about', [
    'npx muster repo add shop ~/code/shop',
    'npx muster repo list',
  ])
  const add = define(repo, 'add <name> <path>', 'register a repository by path or URL', [
    'npx muster repo add shop ~/code/shop',
    'npx muster repo add shop https://git.example.org/shop.git',
  ])
  does(add, async () => (await import('./commands/repo.ts')).addRepo)
  const list = define(repo, 'list', 'list repositories', [
    'npx muster repo list',
    'npx muster repo list --json',
  ])
  does(list, async () => (await import('./commands/repo.ts')).listRepos)
  const activate = define(repo, 'activate <name>', 'let its tasks be assigned', [
    'npx muster repo activate shop',
    'npx muster repo activate shop --json',
  ])
  does(activate, async () => (await import('./commands/repo.ts')).activateRepo)
  const deactivate = define(repo, 'deactivate <name>', 'keep its tasks waiting; what runs goes on', [
    'npx muster repo deactivate shop',
    'npx muster repo deactivate shop --json',
  ])
  does(deactivate, async () => (await import('./commands/repo.ts')).deactivateRepo)
}

function addWorkerCommands(root: Command, define: Define, does: Does): void {
  const worker = define(root, 'worker', 'machines that run tasks', [
    'npx muster worker list',
    'npx muster worker join https://muster.example.org --token -',
  ])
  const list = define(worker, 'list', 'list workers with their walls', [
    'npx muster worker list',
    'npx muster worker list --json',
  ])
  does(list, async () => (await import('./commands/worker-list.ts')).listWorkers)
  const show = define(worker, 'show <name>', 'everything known of one worker', [
    'npx muster worker show local',
    'npx muster worker show box-2 --json',
  ])
  does(show, async () => (await import('./commands/worker-show.ts')).showWorker)
  const restart = define(
    worker,
    'restart <name>',
    'let a worker restart itself when what it runs has ended',
    ['npx muster worker restart box-2', 'npx muster worker restart box-2 --force'],
  ).option('--force', 'stop what it runs; its tasks go back to the queue')
  does(restart, async () => (await import('./commands/worker-restart.ts')).restartWorker)
  addServiceCommands(worker, define, does)
  addWorkerVerbs(worker, define, does)
  const join = define(worker, 'join <url>', 'run a worker on this machine for a hub elsewhere', [
    'npx muster worker join https://muster.example.org --token - < worker.token',
    'MUSTER_TOKEN_FILE=/run/secrets/worker npx muster worker join https://muster.example.org --slots 4',
  ])
    .option('--token <token>', 'worker token; "-" reads it from stdin, where other users cannot see it')
    .option('--slots <n>', 'tasks at once', atMost(256))
  does(join, async () => (await import('./commands/worker-join.ts')).joinWorker)
}

function addServiceCommands(worker: Command, define: Define, does: Does): void {
  const install = define(worker, 'install', 'make a worker a service of systemd', [
    'npx muster worker install --url https://muster.example.org --token-file worker.token',
    'npx muster worker install --url https://muster.example.org --print',
  ])
    .option('--url <url>', 'address of the hub; default MUSTER_HUB')
    .option('--token-file <file>', 'holds the worker token; "-" reads stdin; default MUSTER_TOKEN')
    .option('--name <name>', 'for a second worker on one machine')
    .option('--user <user>', 'run as this user; default root')
    .option('--user-unit', 'a service of your own systemd instead of the machine’s')
    .option('--writable <path>', 'a repository on this machine that results go to; repeatable', repeated)
    .option('--print', 'print the unit and change nothing')
  does(install, async () => (await import('./commands/worker-install.ts')).installWorker)
  const uninstall = define(worker, 'uninstall', 'remove what install wrote', [
    'npx muster worker uninstall',
    'npx muster worker uninstall --name gpu',
  ])
    .option('--name <name>', 'as it was installed')
    .option('--user-unit', 'a service of your own systemd')
  does(uninstall, async () => (await import('./commands/worker-install.ts')).uninstallWorker)
}

const repeated = (value: string, before: string[] = []): string[] => [...before, value]

function addTokenCommands(root: Command, define: Define, does: Does): void {
  const token = define(root, 'token', 'tokens for people, scripts and workers', [
    'npx muster token create laptop',
    'npx muster token list',
  ])
  const create = define(token, 'create <name>', 'make a token; it is shown once, on stdout', [
    'npx muster token create ci --expires-in-days 30',
    'npx muster token create --worker build-box > worker.token',
  ])
    .option('--worker', 'for one new worker')
    .option('--expires-in-days <n>', 'ends by itself', atMost(3_650))
  does(create, async () => (await import('./commands/token.ts')).createToken)
  const list = define(token, 'list', 'list tokens; secrets are never shown again', [
    'npx muster token list',
    'npx muster token list --json',
  ])
  does(list, async () => (await import('./commands/token.ts')).listTokens)
  const revoke = define(token, 'revoke <token>', 'revoke a token by name or id; its connections are closed', [
    'npx muster token revoke laptop',
    'npx muster token revoke 0198c5d2-7b1e-7c3a-9f00-1f2e3d4c5b6a',
  ])
  does(revoke, async () => (await import('./commands/token.ts')).revokeToken)
}
