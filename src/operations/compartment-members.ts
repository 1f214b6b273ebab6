/**
 * Which resources are in the compartment of a patient or an encounter, asked of single resources.
 * https://hl7.org/fhir/R4/compartmentdefinition.html
 */
import { compartmentNode, compartmentTypes } from '../search/compartment.ts'
import type { IndexRow } from '../search/index-row.ts'
import type { Node, ParamName } from '../search/plan-node.ts'
import type { SearchRegistry } from '../search/registry.ts'

export type CompartmentType = 'Patient' | 'Encounter'

/** A resource as the index knows it. */
export interface Member {
  type: string
  id: string
  rows: readonly IndexRow[]
}

/**
 * Returns the ids of the compartments of this kind that a resource is in: that of its own, and those that its references lead to.
 */
export function compartmentsOf(
  registry: SearchRegistry,
  compartment: CompartmentType,
  { type, id, rows }: Member,
): Set<string> {
  const found = new Set<string>()
  if (type === compartment) found.add(id)
  if (!compartmentTypes(compartment).includes(type)) return found
  const params = paramsOf(compartmentNode({ type: compartment, id }, [type], registry))
  for (const row of rows)
    if (row.kind === 'reference' && row.type === compartment && params.has(row.param)) found.add(row.id)
  return found
}

function paramsOf(node: Node): Set<ParamName> {
  const leaves = node.kind === 'or' ? node.nodes : [node]
  return new Set(leaves.flatMap(leaf => (leaf.kind === 'reference' ? [leaf.param] : [])))
}
