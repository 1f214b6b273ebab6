/**
 * `$meta`, `$meta-add` and `$meta-delete`: profiles, tags and security labels in use, and changed without sending the resource.
 * https://hl7.org/fhir/R4/resource-operation-meta.html, https://hl7.org/fhir/R4/resource-operation-meta-add.html,
 * https://hl7.org/fhir/R4/resource-operation-meta-delete.html
 */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import { isObject, type Json, type JsonObject, parseJson, type Resource, writeJson } from '../fhir/json.ts'
import { accept } from '../interactions/accept.ts'
import { indexRows } from '../interactions/indexer.ts'
import { LOST, untilSettled } from '../interactions/race.ts'
import { live, read } from '../interactions/read.ts'
import { replace } from '../interactions/update.ts'
import { vread } from '../interactions/vread.ts'
import { keyOf, type Live } from '../storage/port.ts'
import { labelsInUse } from './labels.ts'
import { changeLabels, LABEL_SETS } from './meta-labels.ts'
import type { Answer, Call, Operation } from './operation.ts'

const definition = (name: string): string => `http://hl7.org/fhir/OperationDefinition/Resource-${name}`
const META: Operation['parameters'] = [{ name: 'meta', type: 'Meta', min: 1, max: 1 }]

export const meta: Operation = {
  name: 'meta',
  definition: definition('meta'),
  types: undefined,
  levels: ['system', 'type', 'instance', 'version'],
  affectsState: false,
  parameters: [],
  async run(ctx, { level, type, id, version }) {
    if (level === 'system' || level === 'type') return { text: answerText(await labelsInUse(ctx, type)) }
    const stored = await (level === 'version' ? vread(ctx, type, id, version) : read(ctx, type, id))
    return answerOf(stored)
  },
}

export const metaAdd: Operation = {
  name: 'meta-add',
  definition: definition('meta-add'),
  types: undefined,
  levels: ['instance'],
  affectsState: true,
  parameters: META,
  run: (ctx, call) => change(ctx, call, 'add'),
}

export const metaDelete: Operation = {
  name: 'meta-delete',
  definition: definition('meta-delete'),
  types: undefined,
  levels: ['instance'],
  affectsState: true,
  parameters: META,
  run: (ctx, call) => change(ctx, call, 'delete'),
}

/**
 * Stores a version with the changed meta; none where nothing changes. R4 leaves open whether one is made: here it is, since versions are
 * never changed, and who polls the history sees it.
 */
async function change(ctx: Context, call: Call, way: 'add' | 'delete'): Promise<Answer> {
  const { type, id } = call
  const labels = call.trees.get('meta')![0]!
  if (!Object.keys(LABEL_SETS).some(name => labels[name] !== undefined))
    throw fhirError('required', 'meta holds profiles, tags or security labels.', { expression: 'http.meta' })
  const stored = await untilSettled(async (): Promise<Live | typeof LOST> => {
    const current = live(await ctx.storage.read(keyOf(type, id)), type, id)
    const resource = parseJson(current.text, Number.POSITIVE_INFINITY) as Resource
    const before = isObject(resource.meta) ? resource.meta : {}
    const after = changeLabels(before, labels, way)
    if (after === undefined) return current
    const changed = await accept(ctx, { ...resource, meta: after }, type)
    const index = indexRows(ctx, changed)
    const done = await replace(ctx, { id, resource: changed, index, method: 'PUT', current, require: [] })
    return done === LOST ? LOST : done.stored
  })
  return answerOf(stored)
}

function answerOf(stored: Live): Answer {
  const resource = parseJson(stored.text, Number.POSITIVE_INFINITY) as Resource
  return { text: answerText(isObject(resource.meta) ? resource.meta : {}), stored }
}

/** A Meta is no resource, so it comes as the parameter `return`. */
function answerText(of: JsonObject): string {
  const value: Json = { name: 'return', valueMeta: of }
  return writeJson({ resourceType: 'Parameters', parameter: [value] })
}
