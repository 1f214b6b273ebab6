/**
 * `$subsumes`: how two codes of a code system stand to each other.
 * https://hl7.org/fhir/R4/codesystem-operation-subsumes.html
 */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import { text } from '../fhir/terminology/code-system.ts'
import { definitionsOf } from '../terminology/definitions.ts'
import { subsumption } from '../terminology/subsumption.ts'
import {
  answering,
  codingOf,
  deadlineOf,
  forwarded,
  namedDefinition,
  parameter,
  parametersAnswer,
  SENT_ALONG,
  type SentCode,
  sentCoding,
  sentDefinitions,
} from './code-parameters.ts'
import { type Answer, type Call, type Operation, textOf, treeOf } from './operation.ts'

export const subsumes: Operation = {
  name: 'subsumes',
  definition: 'http://hl7.org/fhir/OperationDefinition/CodeSystem-subsumes',
  types: ['CodeSystem'],
  levels: ['type', 'instance'],
  affectsState: false,
  parameters: [
    parameter('codeA', 'code'),
    parameter('codeB', 'code'),
    parameter('system', 'uri'),
    parameter('version', 'string'),
    parameter('codingA', 'Coding'),
    parameter('codingB', 'Coding'),
    SENT_ALONG,
  ],
  run,
}

/**
 * Returns Parameters with the outcome.
 *
 * Throws `required` without two codes or a system; `invalid` for codes of different systems; `not-found` (404) for what is not known.
 */
async function run(ctx: Context, call: Call): Promise<Answer> {
  const named = await namedDefinition(ctx, call, {
    type: 'CodeSystem',
    url: 'system',
    inline: '',
    version: 'version',
  })
  const [a, b] = [codeOf(call, 'A'), codeOf(call, 'B')]
  const own = typeof named === 'string' ? named : named && text(named.url)
  const systems = [...new Set([own?.split('|')[0], a.system, b.system].filter(one => one !== undefined))]
  if (systems.length === 0)
    throw fhirError('required', '$subsumes needs a system.', { expression: 'http.system' })
  if (systems.length > 1)
    throw fhirError('invalid', 'How codes of different code systems stand to each other is not known here.', {
      expression: 'http.system',
    })
  const version = a.version ?? b.version
  const canonical = own ?? (version === undefined ? systems[0]! : `${systems[0]}|${version}`)
  const held = definitionsOf(ctx, deadlineOf(ctx), sentDefinitions(call, named))
  const outcome = await answering(() => subsumption(held, canonical, a.code, b.code))
  if (typeof outcome === 'string') return parametersAnswer([{ name: 'outcome', valueCode: outcome }])
  if (outcome.missing === 'code')
    throw fhirError(
      'not-found',
      `The code system ${canonical.slice(0, 200)} has no code ${outcome.code?.slice(0, 100)}.`,
      {
        expression: outcome.code === a.code ? 'http.codeA' : 'http.codeB',
      },
    )
  const [system] = systems
  return forwarded(
    held.remote,
    'CodeSystem/$subsumes',
    [
      { name: 'codingA', valueCoding: codingOf({ ...a, system, display: undefined }) },
      { name: 'codingB', valueCoding: codingOf({ ...b, system, display: undefined }) },
    ],
    `There is no code system ${canonical.slice(0, 200)} with all its concepts here.`,
  )
}

function codeOf(call: Call, which: 'A' | 'B'): SentCode {
  const [code, coding] = [textOf(call, `code${which}`), treeOf(call, `coding${which}`)]
  const sent = coding && sentCoding(coding)
  if ((code === undefined) === (sent === undefined))
    throw fhirError(
      code === undefined ? 'required' : 'invalid',
      `Exactly one of code${which} and coding${which} is sent, with a code.`,
      { expression: `http.code${which}` },
    )
  return sent ?? { system: undefined, version: undefined, code: code!, display: undefined }
}
