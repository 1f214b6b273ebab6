/**
 * `$expand`: the codes of a value set.
 * https://hl7.org/fhir/R4/valueset-operation-expand.html
 */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import { type JsonObject, NumberText, type Resource } from '../fhir/json.ts'
import { stampText } from '../storage/port.ts'
import { definitionsOf } from '../terminology/definitions.ts'
import { type ExpansionOptions, expansionOf, withExpansion } from '../terminology/expansion.ts'
import {
  answering,
  byName,
  deadlineOf,
  forwarded,
  namedDefinition,
  nameOf,
  parameter,
  refuseUnsupported,
  resourceAnswer,
  SENT_ALONG,
  sentDefinitions,
} from './code-parameters.ts'
import { type Answer, type Call, type InParameter, type Operation, textOf } from './operation.ts'

const DEFINED: readonly InParameter[] = [
  parameter('url', 'uri'),
  parameter('valueSet', 'Resource', 1, ['ValueSet']),
  parameter('valueSetVersion', 'string'),
  parameter('context', 'uri'),
  parameter('contextDirection', 'code'),
  parameter('filter', 'string'),
  parameter('date', 'dateTime'),
  parameter('offset', 'integer'),
  parameter('count', 'integer'),
  parameter('includeDesignations', 'boolean'),
  parameter('designation', 'string', '*'),
  parameter('includeDefinition', 'boolean'),
  parameter('activeOnly', 'boolean'),
  parameter('excludeNested', 'boolean'),
  parameter('excludeNotForUI', 'boolean'),
  parameter('excludePostCoordinated', 'boolean'),
  parameter('displayLanguage', 'code'),
  parameter('exclude-system', 'canonical', '*'),
  parameter('system-version', 'canonical', '*'),
  parameter('check-system-version', 'canonical', '*'),
  parameter('force-system-version', 'canonical', '*'),
  // Of R3: a client that takes less than all, which count says as well.
  parameter('limitedExpansion', 'boolean'),
  SENT_ALONG,
]

export const expand: Operation = {
  name: 'expand',
  definition: 'http://hl7.org/fhir/OperationDefinition/ValueSet-expand',
  types: ['ValueSet'],
  levels: ['type', 'instance'],
  affectsState: false,
  parameters: DEFINED,
  body: 'valueSet',
  run,
}

/** Parameters that the expansion does not depend on, or that stand in it themselves. */
const NOT_ECHOED = new Set(['url', 'valueSet', 'valueSetVersion', 'includeDefinition', 'limitedExpansion'])
const LIMITED = 1000

/**
 * Returns the value set with its expansion.
 *
 * Throws `required` where no value set is named; `not-found` (404) for one, or a code system of it, that is not known; `too-costly` (422) for more
 * codes than are sent at once; `not-supported` (422) for what cannot be listed.
 */
async function run(ctx: Context, call: Call): Promise<Answer> {
  refuseUnsupported(call, 'date', 'context', 'contextDirection')
  const named = await namedDefinition(ctx, call, {
    type: 'ValueSet',
    url: 'url',
    inline: 'valueSet',
    version: 'valueSetVersion',
  })
  if (named === undefined)
    throw fhirError('required', 'The value set is named by url or valueSet.', { expression: 'http.url' })
  const held = definitionsOf(ctx, deadlineOf(ctx), sentDefinitions(call, named))
  const options = optionsOf(call)
  const valueSet = typeof named === 'object' ? named : await answering(() => held.valueSet(named))
  if (valueSet === undefined)
    return forwarded(
      held.remote,
      'ValueSet/$expand',
      [...byName(named as string), ...echoed(call)],
      `There is no value set ${nameOf(named)} here.`,
    )
  const expanded = await answering(() => expansionOf(held, valueSet as Resource, options))
  return resourceAnswer(
    withExpansion(valueSet as Resource, expanded, {
      identifier: `urn:nadi:expansion:${ctx.newId()}`,
      timestamp: stampText(ctx.clock()),
      parameters: echoed(call),
      includeDefinition: textOf(call, 'includeDefinition') === 'true',
    }),
  )
}

function optionsOf(call: Call): ExpansionOptions {
  const flag = (name: string): boolean | undefined => {
    const sent = textOf(call, name)
    return sent === undefined ? undefined : sent === 'true'
  }
  const whole = (name: string): number | undefined => {
    const sent = textOf(call, name)
    if (sent === undefined) return undefined
    if (Number(sent) < 0) throw fhirError('invalid', `${name} is 0 or more.`, { expression: `http.${name}` })
    return Number(sent)
  }
  const filter = textOf(call, 'filter')
  const language = textOf(call, 'displayLanguage')
  const offset = whole('offset')
  const count = whole('count') ?? (flag('limitedExpansion') ? LIMITED : undefined)
  const designations = call.texts.get('designation') ?? []
  return {
    ...(filter !== undefined && { filter }),
    ...(offset !== undefined && { offset }),
    ...(count !== undefined && { count }),
    includeDesignations: flag('includeDesignations') ?? designations.length > 0,
    designations,
    activeOnly: flag('activeOnly') === true,
    nested: flag('excludeNested') === false,
    excludeNotForUi: flag('excludeNotForUI') === true,
    ...(language !== undefined && { language }),
    excludeSystems: call.texts.get('exclude-system') ?? [],
    systemVersions: call.texts.get('system-version') ?? [],
    checkVersions: call.texts.get('check-system-version') ?? [],
    forceVersions: call.texts.get('force-system-version') ?? [],
  }
}

function echoed(call: Call): JsonObject[] {
  return DEFINED.flatMap(({ name, type }) =>
    NOT_ECHOED.has(name)
      ? []
      : (call.texts.get(name) ?? []).map(value => ({ name, ...valueAs(type, value) })),
  )
}

/** ValueSet.expansion.parameter takes no canonical. */
function valueAs(type: InParameter['type'], value: string): JsonObject {
  switch (type) {
    case 'boolean':
      return { valueBoolean: value === 'true' }
    case 'integer':
      return { valueInteger: new NumberText(value) }
    case 'uri':
    case 'canonical':
      return { valueUri: value }
    case 'code':
      return { valueCode: value }
    default:
      return { valueString: value }
  }
}
