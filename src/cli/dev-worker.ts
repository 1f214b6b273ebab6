/** `nadi dev-worker`: the Worker on this machine, without a network and without an account. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const WRANGLER = fileURLToPath(new URL('../../node_modules/wrangler/bin/wrangler.js', import.meta.url))

/** What keeps wrangler from asking, reporting and fetching. */
const OFFLINE = {
  CI: '1',
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_WRITE_LOGS: 'false',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  X_LOCAL_OBSERVABILITY: 'false',
  X_LOCAL_EXPLORER: 'false',
}

/** Applies the migrations to the local database, then serves until it is stopped; `args` go to `wrangler dev`. Returns its exit code. */
export async function devWorker(
  args: readonly string[],
  env: Record<string, string | undefined>,
): Promise<number> {
  const wrangler = (...words: string[]) =>
    spawn(process.execPath, [WRANGLER, ...words], {
      cwd: ROOT,
      stdio: 'inherit',
      env: { ...env, ...OFFLINE },
    })
  const persist = args.some(arg => arg.startsWith('--persist-to')) ? [] : ['--persist-to', 'data/worker']
  const place = args.findIndex(arg => arg.startsWith('--persist-to'))
  const same = place < 0 ? persist : args.slice(place, args[place]!.includes('=') ? place + 1 : place + 2)

  const migrate = wrangler('d1', 'migrations', 'apply', 'nadi', '--local', ...same)
  const [failed] = await once(migrate, 'exit')
  if (failed !== 0) return 1
  const port = args.some(arg => arg.startsWith('--port')) ? [] : ['--port', env.NADI_PORT || '8787']
  const server = wrangler('dev', '--local', '--ip', '127.0.0.1', ...port, ...persist, ...args)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => server.kill(signal))
  const [code] = await once(server, 'exit')
  return code ?? 0
}
