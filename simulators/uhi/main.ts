/** `npm run uhi:simulator`: a gateway, a registry and a patient app of UHI on one port, ordered about over /control. */
import { startSimulator } from './start.ts'

const host = process.env.UHI_SIMULATOR_HOST ?? '127.0.0.1'
const port = Number(process.env.UHI_SIMULATOR_PORT ?? 4400)

const simulator = await startSimulator({ host, port }, line => console.log(line))
const { gateway, registry, consumer, control, world } = simulator
const parties = { gateway: world.gateway.party.record, eua: world.eua.party.record }
console.log(JSON.stringify({ gateway, registry, consumer, control, parties }))

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    simulator.stop().then(() => process.exit(0))
  })
