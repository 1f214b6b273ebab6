/** Puts gateway, registry and patient app on one port. */
import { controlRoute, type World } from './control.ts'
import { type Eua, euaRoute } from './eua.ts'
import { type Gateway, gatewayRoute, PLAIN } from './gateway.ts'
import { newParty, type Party } from './party.ts'
import { lookupRoute, type Registry } from './registry.ts'
import { listen, type Route } from './wire.ts'

export interface Simulator {
  gateway: string
  registry: string
  consumer: string
  control: string
  world: World
  stop(): Promise<void>
}

/** Starts all parts; port 0 takes any free one. `say` is told what happens, never a PIN. */
export async function startSimulator(
  options: { host: string; port: number },
  say: (line: string) => void,
): Promise<Simulator> {
  const routes: Record<string, Route> = {}
  const { server, port } = await listen(routes, options.host, options.port)
  const root = `http://${options.host}:${port}`
  const [gatewayUrl, registryUrl] = [`${root}/api/v1/uhi`, `${root}/api/v1/networkregistry`]
  const consumer = `${root}/api/v1/euaService`
  const now = Date.now()
  const parties = {
    gateway: newParty('uhigateway', 'gateway', gatewayUrl, now),
    eua: newParty(options.host, 'EUA', consumer, now),
    stranger: newParty('other-app.example.org', 'EUA', 'https://other-app.example.org', now),
  }
  const registry: Registry & { strangers: Party[] } = {
    subscribers: Object.values(parties).map(one => one.record),
    lookups: {},
    strangers: [parties.stranger],
  }
  const gateway: Gateway = { party: parties.gateway, audits: [], forwarded: {}, next: PLAIN }
  const eua: Eua = {
    party: parties.eua,
    uri: consumer,
    callbacks: [],
    requests: new Map(),
    orders: new Map(),
    pins: new Map(),
    receptions: [],
    held: [],
  }
  const world: World = { eua, gateway, registry, gatewayUrl, say }
  routes['/api/v1/uhi/'] = gatewayRoute(gateway, registry, say)
  routes['/api/v1/networkregistry/lookup'] = lookupRoute(registry, say)
  routes['/api/v1/euaService/'] = euaRoute(eua, registry, say)
  routes['/control/'] = controlRoute(world)
  return {
    gateway: gatewayUrl,
    registry: registryUrl,
    consumer,
    control: `${root}/control`,
    world,
    stop: () =>
      new Promise(done => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}
