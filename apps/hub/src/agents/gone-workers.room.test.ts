import { eventually } from '@muster/testkit/eventually'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { goodWall } from '../../test-support/worker-client.ts'
import { startHub } from '../../test-support/hub.ts'

test('a worker that answers no ping is offered no task and then dropped, one that answers stays', async () => {
  const hub = await startHub({ loops: false })
  const { agents } = hub.hub
  const frozen = await hub.worker()
  const living = await hub.worker()
  const offered = () => agents.offers().map((offer) => offer.workerId)
  expect(offered()).toHaveLength(2)
  frozen.socket.pause()
  const round = async () => {
    await agents.refreshPresence()
    await eventually(() => agents.connections.get(living.welcome?.workerId ?? '')?.unanswered === 0)
  }
  await round()
  expect(offered()).toHaveLength(2)
  await round()
  expect(offered()).toEqual([living.welcome?.workerId])
  await round()
  await eventually(() => agents.connections.all().length === 1)
  frozen.socket.resume()
  expect(await frozen.closed).toMatchObject({ code: 1006 })
  await eventually(
    async () =>
      (await hub.call('listWorkers')).items.find((each) => each.id === frozen.welcome?.workerId)
        ?.connected === false,
  )
})

test('a worker that leaves while its hello is answered is not present', async () => {
  const hub = await startHub({ loops: false })
  for (let round = 0; round < 20; round++) {
    const socket = new WebSocket(`${hub.url.replace('http', 'ws')}/api/v1/workers/socket`, {
      headers: { authorization: `Bearer ${await hub.workerToken(`w${round}`)}` },
    })
    await new Promise((resolve) => socket.on('open', resolve))
    const who = { instance: 'i', version: '0', host: 'h', slots: 1, walls: [goodWall], holding: [] }
    socket.send(JSON.stringify({ type: 'hello', id: 1, wire: 1, ...who }), () =>
      setTimeout(() => socket.terminate(), round / 4),
    )
    await new Promise((resolve) => socket.on('close', resolve))
  }
  await eventually(() => hub.hub.agents.connections.all().length === 0)
  await eventually(async () => (await hub.call('listWorkers')).items.every((worker) => !worker.connected))
})
