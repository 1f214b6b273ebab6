// Loaded into servers that tests start: when the test's process is gone, however it ended, its end of the pipe is closed.
import { isMainThread } from 'node:worker_threads'

if (isMainThread) {
  process.stdin.on('end', () => process.kill(process.pid, 'SIGKILL')).resume()
  process.stdin.unref()
}
