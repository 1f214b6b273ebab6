/**
 * Compacts the table of UCUM (npm: prepare): prefixes, base units, and the units that are a number times others.
 * https://ucum.org/ucum
 */

/** A unit as the package @atomic-ehr/ucum has it, generated from ucum-essence.xml. */
export interface PackageUnit {
  isMetric: boolean
  isSpecial?: boolean
  isBaseUnit?: boolean
  class: string
  value: { Unit: string; value: string }
}

export interface UcumTable {
  /** The package's: the table does not say which revision of UCUM it is. */
  version: string
  /** Powers of ten and of 1024, as decimals. */
  prefixes: Record<string, string>
  base: string[]
  /** A decimal, the unit that it counts, and 1 where prefixes may stand before it. */
  units: Record<string, [value: string, of: string, metric: 0 | 1]>
}

/** Are the number one by definition and no measure of their own kind. */
const PLAIN_ONES = new Set(['[HPF]', "[hnsf'U]"])

/**
 * Returns the table. Left out are special units (a function of another unit: temperatures, logarithms) and arbitrary ones, which UCUM
 * says are commensurable with nothing. The package does not mark the latter; they are those of medicine that are said to be `1 1`.
 *
 * Throws when the package holds something else than expected.
 */
export function ucumTable(
  units: Record<string, PackageUnit>,
  prefixes: Record<string, { value: number }>,
  version: string,
): UcumTable {
  const table: UcumTable = { version, prefixes: {}, base: [], units: {} }
  for (const [prefix, { value }] of Object.entries(prefixes)) table.prefixes[prefix] = String(value)
  for (const [code, unit] of Object.entries(units)) {
    if (unit.isBaseUnit) table.base.push(code)
    else if (!unit.isSpecial && !isArbitrary(code, unit))
      table.units[code] = [unit.value.value, unit.value.Unit, unit.isMetric ? 1 : 0]
  }
  if (table.base.join() !== 'm,s,g,rad,K,C,cd' || Object.keys(table.units).length < 200)
    throw new Error('The package @atomic-ehr/ucum does not hold the UCUM table.')
  return table
}

const isArbitrary = (code: string, { class: group, value }: PackageUnit): boolean =>
  ['chemical', 'clinical', 'misc'].includes(group) &&
  value.Unit === '1' &&
  value.value === '1' &&
  !PLAIN_ONES.has(code)
