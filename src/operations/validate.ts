/**
 * `$validate`: what a write of a resource would be told, and what profiles say of it, without writing.
 * https://hl7.org/fhir/R4/resource-operation-validate.html
 */
import type { Context } from '../context.ts'
import { fhirError, type Issue } from '../fhir/error.ts'
import { parseJson, type Resource } from '../fhir/json.ts'
import { outcomeText } from '../fhir/outcome.ts'
import { read } from '../interactions/read.ts'
import { referrerOf } from '../interactions/references.ts'
import { keyOf } from '../storage/port.ts'
import { validate as check } from '../validation/validate.ts'
import { type Answer, type Call, type Operation, resourceOf, textOf } from './operation.ts'

const MODES = ['create', 'update', 'delete', 'profile']

export const validate: Operation = {
  name: 'validate',
  definition: 'http://hl7.org/fhir/OperationDefinition/Resource-validate',
  types: undefined,
  levels: ['system', 'type', 'instance'],
  affectsState: false,
  parameters: [
    { name: 'resource', type: 'Resource', min: 0, max: 1 },
    { name: 'mode', type: 'code', min: 0, max: 1 },
    { name: 'profile', type: 'canonical', min: 0, max: '*' },
  ],
  body: 'resource',
  unchecked: true,
  run,
}

/** Profiles of one call; more mean nothing but work. */
const MOST_PROFILES = 50

/**
 * Returns the issues, 200 whatever they are. Throws `invalid` (400) for a mode that R4 has not, or not here, `required` where nothing is
 * there to validate, or no profile in the mode that needs one, and what reading an instance throws.
 */
async function run(ctx: Context, call: Call): Promise<Answer> {
  const mode = textOf(call, 'mode')
  if (mode !== undefined && !MODES.includes(mode))
    throw fhirError('invalid', `There is no mode ${mode.slice(0, 64)}. It is one of ${MODES.join(', ')}.`, {
      expression: 'http.mode',
    })
  const profiles = call.texts.get('profile') ?? []
  if (profiles.length > MOST_PROFILES)
    throw fhirError('too-costly', `A call names ${MOST_PROFILES} profiles at most.`, {
      status: 400,
      expression: 'http.profile',
    })
  if (mode === 'profile' && profiles.length === 0)
    throw fhirError('required', 'The mode profile is for profiles that the call names. Name one.', {
      expression: 'http.profile',
    })
  if (mode === 'delete') return { text: outcomeText(await mayDelete(ctx, call)) }
  const sent = resourceOf(call, 'resource')
  const resource = sent ?? (await stored(ctx, call))
  const type = call.type || String(resource.resourceType)
  const issues = await check(ctx, resource, { type, profiles })
  if (sent !== undefined && call.level === 'instance' && mode !== 'create')
    issues.push(...sameInstance(sent, call))
  return { text: outcomeText(issues) }
}

async function stored(ctx: Context, { level, type, id }: Call): Promise<Resource> {
  if (level !== 'instance')
    throw fhirError(
      'required',
      'There is nothing to validate. Send the resource, or call $validate on a stored one.',
      {
        expression: 'http.resource',
      },
    )
  const { text } = await read(ctx, type, id)
  return parseJson(text, Number.POSITIVE_INFINITY) as Resource
}

/** An update keeps the id, and what it says of its version has to be the current one. */
function sameInstance(resource: Resource, { type, id }: Call): Issue[] {
  if (resource.id === id) return []
  const says =
    resource.id === undefined ? `It has no id: write "id": "${id}".` : `Its id is not that of ${type}/${id}.`
  return [
    {
      severity: 'error',
      code: 'invalid',
      rule: 'update-id',
      diagnostics: `The resource would not be accepted as an update of ${type}/${id}. ${says}`,
      expression: `${type}.id`,
    },
  ]
}

/** Returns why an instance cannot be deleted; what is there no more can be deleted again. */
async function mayDelete(ctx: Context, { level, type, id }: Call): Promise<Issue[]> {
  if (level !== 'instance')
    throw fhirError('invalid', 'The mode delete is for an instance: call $validate on [type]/[id].', {
      expression: 'http.mode',
    })
  const found = await ctx.storage.read(keyOf(type, id))
  if (found?.text !== undefined && ctx.settings.references === 'enforce') {
    const by = await referrerOf(ctx, keyOf(type, id))
    if (by !== undefined)
      return [
        {
          severity: 'error',
          code: 'conflict',
          rule: 'delete-referenced',
          diagnostics: `${type}/${id} would not be deleted: ${by} refers to it.`,
        },
      ]
  }
  if (found !== undefined) return []
  return [
    {
      severity: 'error',
      code: 'not-found',
      rule: 'delete-missing',
      diagnostics: `There is no ${type}/${id} that could be deleted.`,
    },
  ]
}
