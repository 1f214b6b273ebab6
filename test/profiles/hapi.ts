/** HAPI FHIR's validator, as a second opinion where it is at hand. */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HAPI_COMMAND } from './hapi-install.ts'

const SHARED = join(import.meta.dirname, '../../../shared')

/** NRCeS's own definitions. */
export const OFFICIAL = join(SHARED, 'abdm/nrces-6.0.0')
/** Ours. */
export const OURS = join(import.meta.dirname, '../../profiles/abdm')

export const hapi = HAPI_COMMAND !== undefined

/**
 * The environment of a run. Compiled lightly and collected by one thread, a run is over before the thorough compiler has paid for itself. The
 * validator reads a table of OIDs, 1.5 MB that nothing here asks for, for each resource anew: an empty one takes its place.
 */
function quick(folder: string): NodeJS.ProcessEnv {
  writeFileSync(join(folder, 'oidregistry.csv'), '')
  const options = `-XX:+UseSerialGC -Xbootclasspath/a:${folder}`
  return { ...process.env, TIER: '1', JAVA_TOOL_OPTIONS: options }
}

export interface Message {
  severity: 'fatal' | 'error' | 'warning' | 'information'
  at: string
  message: string
}

/** Returns what HAPI says of each resource's text, in their order, with the definitions of a folder; `meta.profile` names what is asked. */
export async function hapiMessages(texts: readonly string[], definitions: string): Promise<Message[][]> {
  const folder = mkdtempSync(join(tmpdir(), 'nadi-hapi-'))
  try {
    const name = (i: number) => `${i}.json`
    for (const [i, text] of texts.entries()) writeFileSync(join(folder, name(i)), text)
    const report = join(folder, 'report.jsonl')
    const args = ['--profiles', definitions, '--warnings', '--quiet', '--json', report, folder]
    await new Promise<void>((done, fail) =>
      execFile(HAPI_COMMAND!, args, { maxBuffer: 1e9, env: quick(folder) }, (error, _, stderr) =>
        // 1: some resources have errors, or a text that its parser cannot bear ended it before there was a report.
        existsSync(report) && (error === null || error.code === 1)
          ? done()
          : fail(new Error(`HAPI's validator failed: ${stderr}`)),
      ),
    )
    const messages: Message[][] = texts.map(() => [])
    for (const line of readFileSync(report, 'utf8').split('\n').filter(Boolean)) {
      const { file, ...message } = JSON.parse(line) as Message & { file: string }
      messages[Number(/(\d+)\.json$/.exec(file)![1])]!.push(message)
    }
    return messages
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
