/** Runs `nadi` in a process of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export interface Ran {
  code: number | null
  out: string
  err: string
}

/** Returns what the command printed and its exit code. Settings of whoever runs the tests are left out. */
export async function runCli(args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('NADI_') && name !== 'INIT_CWD',
  )
  const child = spawn(process.execPath, ['--import', './src/require-node.mjs', 'src/cli.ts', ...args], {
    cwd: ROOT,
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code, out, err }
}
