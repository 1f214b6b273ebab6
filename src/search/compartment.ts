/**
 * Compartments: the resources that belong to a patient, an encounter, a practitioner, a related person or a device.
 * https://hl7.org/fhir/R4/compartmentdefinition.html
 */
import content from '../fhir/definitions/generated/compartments.json' with { type: 'json' }
import type { CompartmentRow } from '../fhir/definitions/prepare-compartments.ts'
import { fhirError } from '../fhir/error.ts'
import { anyOf } from './ask.ts'
import type { Node } from './plan-node.ts'
import type { SearchRegistry } from './registry.ts'

/** The resource whose compartment is searched. */
export interface Compartment {
  type: string
  id: string
}

/** Stands for the resource itself. */
const SELF = '{def}'

const rows = new Map<string, Map<string, readonly string[]>>()
for (const { compartment, type, params } of content as readonly CompartmentRow[]) {
  const types = rows.get(compartment)
  if (types === undefined) rows.set(compartment, new Map([[type, params]]))
  else types.set(type, params)
}

/** The types of resources that have a compartment, sorted. */
export const COMPARTMENTS: readonly string[] = [...rows.keys()].sort()

/** Returns the types that may be in the compartment of a resource of this type, sorted; none where it has no compartment. */
export const compartmentTypes = (compartment: string): readonly string[] => [
  ...(rows.get(compartment)?.keys() ?? []),
]

/**
 * Returns what holds for the resources of these types that are in the compartment.
 *
 * Throws `not-supported` (404) where the resource's type has no compartment, or one of `types` is never in it.
 */
export function compartmentNode(
  { type: compartment, id }: Compartment,
  types: readonly string[],
  registry: SearchRegistry,
): Node {
  const params = rows.get(compartment)
  if (params === undefined)
    throw fhirError(
      'not-supported',
      `${compartment} has no compartment; there are those of ${COMPARTMENTS.join(', ')}.`,
      { status: 404 },
    )
  const leaves = types.flatMap(type => {
    const codes = params.get(type)
    if (codes === undefined)
      throw fhirError(
        'not-supported',
        `${type} is not in the compartment of a ${compartment}; there are ${[...params.keys()].join(', ')}.`,
        { status: 404 },
      )
    return codes.flatMap(code => leavesOf(type, code, { type: compartment, id }, registry))
  })
  return anyOf(leaves)
}

function leavesOf(
  type: string,
  code: string,
  { type: target, id }: Compartment,
  registry: SearchRegistry,
): Node[] {
  if (code === SELF)
    return [
      {
        kind: 'and',
        nodes: [
          { kind: 'type', types: [type] },
          { kind: 'id', ids: [id] },
        ],
      },
    ]
  const param = registry.param(type, code)
  if (param?.type !== 'reference') return []
  return param.rows.map(name => ({ kind: 'reference', param: name, type: target, id }))
}
