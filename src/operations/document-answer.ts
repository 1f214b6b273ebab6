/** How a document leaves: as it is or encrypted, stored or not. https://hl7.org/fhir/R4/composition-operation-document.html */
import type { Context } from '../context.ts'
import type { Built } from '../documents/assemble.ts'
import { keepDocument } from '../documents/keep.ts'
import { ENCRYPTIONS, type Encryption, seal } from '../documents/seal.ts'
import type { Source } from '../documents/source.ts'
import { fhirError } from '../fhir/error.ts'
import { writeJson } from '../fhir/json.ts'
import { toBase64 } from '../lib/base64.ts'
import { type Answer, type Call, type InParameter, textOf } from './operation.ts'

/** Parameters that every operation on documents takes. */
export const LEAVING: readonly InParameter[] = [
  { name: 'persist', type: 'boolean', min: 0, max: 1 },
  { name: 'publicKey', type: 'string', min: 0, max: 1 },
  { name: 'encryption', type: 'code', min: 0, max: 1 },
]

/** Throws `not-supported` (405) where something is to be stored by a request that must change nothing. */
export function checkPersist(call: Call): void {
  if (textOf(call, 'persist') === 'true' && call.mayStore !== true)
    throw fhirError(
      'not-supported',
      'persist=true stores the document: send the operation by POST with a Parameters resource (Content-Type: application/fhir+json).',
      { status: 405, expression: 'http.persist' },
    )
}

/** Returns the answer of an operation that has built a document; stores it, with what was made for it, where `persist` is true. */
export async function answerOf(
  ctx: Context,
  call: Call,
  built: Built,
  made: readonly Source[] = [],
): Promise<Answer> {
  const encryption = encryptionOf(call)
  const publicKey = textOf(call, 'publicKey')
  // A key that cannot be used is refused before anything is stored.
  if (publicKey !== undefined) await seal('', publicKey)
  const kept = textOf(call, 'persist') === 'true' ? await keepDocument(ctx, built, made) : undefined
  const text = kept?.stored.text ?? writeJson(built.bundle)
  const answer: Answer = {
    text: publicKey === undefined ? text : await sealed(text, publicKey, encryption),
  }
  if (kept === undefined) return answer
  const { stored, created } = kept
  return {
    ...answer,
    stored,
    status: created ? 201 : 200,
    headers: { Location: `${ctx.settings.baseUrl}/${stored.key}/_history/${stored.version}` },
  }
}

function encryptionOf(call: Call): Encryption | undefined {
  const text = textOf(call, 'encryption')
  const found = ENCRYPTIONS.find(one => one === text)
  if (text !== undefined && found === undefined)
    throw fhirError('invalid', `encryption is one of ${ENCRYPTIONS.join(', ')}.`, {
      expression: 'http.encryption',
    })
  return found
}

async function sealed(text: string, publicKey: string, encryption: Encryption | undefined): Promise<string> {
  const jwe = await seal(text, publicKey, encryption)
  return writeJson({
    resourceType: 'Binary',
    contentType: 'application/jose',
    data: toBase64(new TextEncoder().encode(jwe)),
  })
}
