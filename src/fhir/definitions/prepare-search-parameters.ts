/**
 * SearchParameter resources to the rows that the search registry is built from.
 * https://hl7.org/fhir/R4/searchparameter-registry.html
 */

export interface SearchParameter {
  id: string
  url: string
  code: string
  type: string
  base?: string[]
  expression?: string
  target?: string[]
  component?: { definition: string; expression: string }[]
}

export interface SearchParameterRow {
  code: string
  type: string
  base: string[]
  /** '' where the specification gives none: _text, _content, _query, _filter. */
  expression: string
  /** Resource types that a reference parameter may point to; empty for other types. */
  target: string[]
  url: string
  /** For composite parameters only. */
  component?: { definition: string; expression: string }[]
}

/** Returns the parameters of the registry, sorted by url; examples and those on extensions are not part of it. */
export function searchParameterRows(parameters: readonly SearchParameter[]): SearchParameterRow[] {
  return parameters
    .filter(parameter => !/^example|-extensions-|-genetic-/.test(parameter.id))
    .map(row)
    .sort((a, b) => (a.url < b.url ? -1 : 1))
}

function row(parameter: SearchParameter): SearchParameterRow {
  const result: SearchParameterRow = {
    code: parameter.code,
    type: parameter.type,
    base: [...parameter.base!].sort(),
    expression: asOfType(parameter.expression ?? ''),
    target: [...(parameter.target ?? [])].sort(),
    url: parameter.url,
  }
  if (parameter.component)
    result.component = parameter.component.map(({ definition, expression }) => ({
      definition,
      expression: asOfType(expression),
    }))
  return result
}

/** `x as T` and `x.as(T)` are errors on several items in FHIRPath; R4B publishes the same expressions with `ofType`. */
function asOfType(expression: string): string {
  return expression
    .replace(/\(?([\w.]+) as (\w+)\)?/g, '$1.ofType($2)')
    .replace(/\.as\((\w+)\)/g, '.ofType($1)')
}
