/**
 * `$document`: of a stored Composition as R4 has it, and of an encounter or a patient, which is an operation of this server.
 * https://hl7.org/fhir/R4/composition-operation-document.html, profiles/operations/
 */
import type { Context } from '../context.ts'
import { buildDocument } from '../documents/build.ts'
import { HI_TYPES } from '../documents/hi-types.ts'
import type { DocumentRequest } from '../documents/request.ts'
import { documentOf } from '../documents/stored-composition.ts'
import { fhirError } from '../fhir/error.ts'
import { parseReference } from '../fhir/reference.ts'
import { answerOf, checkPersist, LEAVING } from './document-answer.ts'
import { type Answer, type Call, type InParameter, type Operation, textOf } from './operation.ts'

const NAME = 'document'

export const compositionDocument: Operation = {
  name: NAME,
  definition: 'http://hl7.org/fhir/OperationDefinition/Composition-document',
  types: ['Composition'],
  levels: ['type', 'instance'],
  affectsState: false,
  parameters: [
    { name: 'id', type: 'uri', min: 0, max: 1 },
    { name: 'graph', type: 'uri', min: 0, max: 1 },
    ...LEAVING,
  ],
  async run(ctx, call) {
    checkPersist(call)
    return answerOf(ctx, call, await documentOf(ctx, compositionId(ctx, call), textOf(call, 'graph')))
  },
}

/** Throws `invalid` where it is named twice, `required` where it is not, `not-supported` for one of another server. */
function compositionId(ctx: Context, { id, texts }: Call): string {
  const named = texts.get('id')?.[0]
  const refuse = (code: 'invalid' | 'required' | 'not-supported', why: string) =>
    fhirError(code, why, { status: 400, expression: 'http.id' })
  if (id !== '') {
    if (named !== undefined) throw refuse('invalid', 'The Composition is in the URL already: leave id out.')
    return id
  }
  if (named === undefined) throw refuse('required', 'id names the Composition.')
  if (!named.includes('/')) return named
  const parsed = parseReference(named, ctx.settings.baseUrl)
  if (parsed.kind !== 'local' || parsed.type !== 'Composition')
    throw refuse('not-supported', 'id is that of a Composition of this server.')
  return parsed.id
}

/** What a document may be asked for beside what it is of. */
export const ASKING: readonly InParameter[] = [
  { name: 'resource', type: 'uri', min: 0, max: '*' },
  { name: 'author', type: 'uri', min: 0, max: '*' },
  { name: 'custodian', type: 'uri', min: 0, max: 1 },
  { name: 'date', type: 'dateTime', min: 0, max: 1 },
  { name: 'title', type: 'string', min: 0, max: 1 },
]

const HI_TYPE: InParameter = { name: 'hiType', type: 'code', min: 1, max: 1 }

export const encounterDocument: Operation = {
  name: NAME,
  definition: 'urn:nadi:operation:encounter-document',
  types: ['Encounter'],
  levels: ['instance'],
  affectsState: false,
  parameters: [HI_TYPE, ...ASKING, ...LEAVING],
  run: (ctx, call) => document(ctx, call, { encounter: call.id }),
}

export const patientDocument: Operation = {
  name: NAME,
  definition: 'urn:nadi:operation:patient-document',
  types: ['Patient'],
  levels: ['instance'],
  affectsState: false,
  parameters: [
    HI_TYPE,
    { name: 'start', type: 'date', min: 0, max: 1 },
    { name: 'end', type: 'date', min: 0, max: 1 },
    ...ASKING,
    ...LEAVING,
  ],
  run: (ctx, call) => document(ctx, call, { patient: call.id }),
}

async function document(
  ctx: Context,
  call: Call,
  of: Pick<DocumentRequest, 'patient' | 'encounter'>,
): Promise<Answer> {
  checkPersist(call)
  return answerOf(ctx, call, await buildDocument(ctx, { ...requestOf(call), ...of }))
}

/** Throws `invalid` for a kind of record that there is not, and for a date that is none. */
function requestOf(call: Call): DocumentRequest {
  const stated = textOf(call, 'hiType')
  const hiType = HI_TYPES.find(one => one === stated)
  if (hiType === undefined)
    throw fhirError('invalid', `hiType is one of ${HI_TYPES.join(', ')}.`, { expression: 'http.hiType' })
  return { hiType, ...asking(call) }
}

/** Returns what stands in `ASKING`, and a period. */
export function asking(call: Call): Omit<DocumentRequest, 'hiType'> {
  const one = (name: string) => {
    const text = textOf(call, name)
    return text === undefined ? {} : { [name]: text }
  }
  return {
    ...one('start'),
    ...one('end'),
    ...one('custodian'),
    ...one('date'),
    ...one('title'),
    resources: call.texts.get('resource') ?? [],
    authors: call.texts.get('author') ?? [],
  }
}
