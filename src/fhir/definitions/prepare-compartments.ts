/**
 * CompartmentDefinitions to rows: which types belong to a compartment, and by which search parameters.
 * https://hl7.org/fhir/R4/compartmentdefinition.html
 */

export interface CompartmentDefinition {
  url: string
  /** The type of resource that the compartment is of. */
  code: string
  resource: { code: string; param?: string[] }[]
}

export interface CompartmentRow {
  /** `Patient` */
  compartment: string
  /** A type whose resources may be in the compartment. */
  type: string
  /** Reference parameters of `type` that lead to the compartment's resource; `{def}` where it is that resource itself. */
  params: string[]
}

/** The ends of the urls of R4's five. */
export const COMPARTMENT_IDS = ['device', 'encounter', 'patient', 'practitioner', 'relatedPerson'] as const

/** Returns the rows of a definition, sorted by type; a type listed without a parameter is outside the compartment. */
export function compartmentRows({ code, resource }: CompartmentDefinition): CompartmentRow[] {
  return resource
    .flatMap(({ code: type, param }) =>
      param === undefined || param.length === 0
        ? []
        : [{ compartment: code, type, params: [...param].sort() }],
    )
    .sort((a, b) => (a.type < b.type ? -1 : 1))
}
