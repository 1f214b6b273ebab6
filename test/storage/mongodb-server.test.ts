/** The test server itself: it never outlives the run that started it. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startMongo } from './mongodb-server.ts'

const server = await startMongo({ own: true })
const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

const listens = (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

if ('skip' in server) describe.skip(`mongodb server: ${server.skip}`, () => it('the server', () => {}))
else
  describe('the MongoDB server of the tests', () => {
    it('ends and leaves no files when it is stopped', async () => {
      const port = Number(new URL(server.uri).port)
      expect(await listens(port)).toBe(true)
      await server.stop()
      expect(await listens(port)).toBe(false)
      expect(existsSync(server.folder!)).toBe(false)
    })

    it('ends and leaves no files when the runner is killed', async () => {
      const script = `
        const { startMongo } = await import(${JSON.stringify(join(import.meta.dirname, 'mongodb-server.ts'))})
        const { uri, folder } = await startMongo({ own: true })
        console.log(JSON.stringify({ uri, folder }))
        setInterval(() => {}, 1000)`
      const runner = spawn(process.execPath, ['--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const line = await new Promise<string>(resolve => {
        let text = ''
        runner.stdout!.on('data', (data: Buffer) => {
          text += data
          if (text.includes('\n')) resolve(text)
        })
      })
      const { uri, folder } = JSON.parse(line) as { uri: string; folder: string }
      const port = Number(new URL(uri).port)
      expect(await listens(port)).toBe(true)
      runner.kill('SIGKILL')
      for (let i = 0; i < 100 && ((await listens(port)) || existsSync(folder)); i++) await sleep(100)
      expect(await listens(port)).toBe(false)
      expect(existsSync(folder)).toBe(false)
    })
  })
