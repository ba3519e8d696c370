import { endpointKinds } from '@muster/contract/models'
import { tiers } from '@muster/contract/task-states'
import { Option, type Command } from 'commander'
import type { Define, Does } from './define.ts'
import { atMost, several } from './option-values.ts'

/** Where models are, and what people decide about them. */
export function addModelCommands(root: Command, define: Define, does: Does): void {
  const model = define(root, 'model', 'models for tasks with a prompt, and where they are served', [
    'npx muster model list',
    'npx muster model add box-2 http://box-2:11434',
  ])
  const list = define(model, 'list', 'list models by endpoint, and those that are wanted and missing', [
    'npx muster model list',
    'npx muster model list --json',
  ])
  does(list, async () => (await import('./commands/model-list.ts')).listModels)
  const show = define(model, 'show <endpoint>', 'everything known of one endpoint', [
    'npx muster model show ollama',
    'npx muster model show box-2 --json',
  ])
  does(show, async () => (await import('./commands/model-show.ts')).showEndpoint)
  const refresh = define(model, 'refresh <endpoint>', 'ask an endpoint now how it is and what it has', [
    'npx muster model refresh ollama',
    'npx muster model refresh box-2 --json',
  ])
  does(refresh, async () => (await import('./commands/model-show.ts')).refreshEndpoint)
  addEndpointCommands(model, define, does)
  const tier = define(
    model,
    'tier <model> <tier>',
    'say which tasks a model is for; "auto": as its size suggests',
    ['npx muster model tier qwen3:8b complex', 'npx muster model tier qwen3:8b auto'],
  )
  tier.addHelpText('after', `\nTiers: ${tiers.join(', ')}.`)
  does(tier, async () => (await import('./commands/model-verbs.ts')).setTier)
  const cloud = define(
    model,
    'cloud <allow|forbid>',
    'whether tasks may be sent to models on machines of others',
    ['npx muster model cloud allow', 'npx muster model cloud forbid'],
  )
  does(cloud, async () => (await import('./commands/model-verbs.ts')).setCloud)
}

function addEndpointCommands(model: Command, define: Define, does: Does): void {
  const add = define(model, 'add <name> <url>', 'register a server of models; nothing is pulled on it', [
    'npx muster model add box-2 http://box-2:11434',
    'npx muster model add vllm http://gpu:8000/v1 --kind openai --limit 16',
  ])
    .addOption(
      new Option('--kind <kind>', 'the wire that it speaks').choices([...endpointKinds]).default('ollama'),
    )
    .option('--limit <n>', 'runs that use it at once, at most; default 4', atMost(1_000))
    .option('--model <name>', 'a model that it does not list by itself; repeatable', several)
    .addOption(new Option('--cloud', 'what is sent there leaves your machines').conflicts('own'))
    .option('--own', 'a machine of your own, whatever its address looks like')
  does(add, async () => (await import('./commands/model-verbs.ts')).addEndpoint)
  const remove = define(model, 'remove <endpoint>', 'forget an endpoint; what runs on it goes on', [
    'npx muster model remove box-2',
    'npx muster model remove box-2 --json',
  ])
  does(remove, async () => (await import('./commands/model-verbs.ts')).removeEndpoint)
}
