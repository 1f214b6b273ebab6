/** The codes that modifiers make: E10 modified by a fourth character is E10.0, E10.1, ... (ICD-10, volume 2, 3.1.3). */
import type { Claml, ClamlClass, ModifiedBy, Rubric } from './claml.ts'

/** Yields the classes, and after each the ones that modifiers make of it. */
export function* expandModifiers({ classes, modifiers }: Claml): Generator<ClamlClass> {
  const above = new Set([...classes.values()].flatMap(({ parent }) => parent ?? []))
  for (const one of classes.values()) {
    yield one
    if (one.kind !== 'category' || above.has(one.code)) continue
    let level: ClamlClass[] = [one]
    for (const by of inForce(one, classes)) {
      const made = level.flatMap(base => modified(base, by, modifiers.get(by.code) ?? []))
      level = made.filter(({ code }) => !classes.has(code))
      yield* level
    }
  }
}

/** Returns the modifiers of a class and of all above it that are not excluded on the way, its own first. */
function inForce(one: ClamlClass, classes: ReadonlyMap<string, ClamlClass>): ModifiedBy[] {
  const found: ModifiedBy[] = []
  const excluded = new Set<string>()
  const seen = new Set<string>()
  for (
    let at: ClamlClass | undefined = one;
    at !== undefined && !seen.has(at.code);
    at = classes.get(at.parent ?? '')
  ) {
    seen.add(at.code)
    // What a class says itself comes before what it inherits.
    for (const code of at.notModifiedBy) excluded.add(code)
    for (const by of at.modifiedBy)
      if (!excluded.has(by.code) && !found.some(({ code }) => code === by.code)) found.push(by)
  }
  return found
}

function modified(base: ClamlClass, by: ModifiedBy, added: readonly ClamlClass[]): ClamlClass[] {
  return added
    .filter(({ code }) => by.valid.length === 0 || by.valid.includes(code))
    .map(one => ({
      ...one,
      code: joined(base.code, one.code),
      kind: base.kind,
      usage: one.usage ?? base.usage,
      parent: base.code,
      rubrics: rubricsOf(base, one),
    }))
}

/** The fourth character stands after a dot, which some files write into the modifier's code. */
function joined(code: string, added: string): string {
  const character = added.replace(/^\./, '')
  return code.includes('.') ? code + character : `${code}.${character}`
}

/** A name is that of the class and that of the modifier; all else is the modifier's own. */
function rubricsOf(base: ClamlClass, one: ClamlClass): Rubric[] {
  const names = base.rubrics.filter(({ kind }) => kind === 'preferred')
  return one.rubrics.map(rubric => {
    if (rubric.kind !== 'preferred') return rubric
    const name = names.find(({ language }) => language === rubric.language) ?? names[0]
    return name === undefined ? rubric : { ...rubric, text: `${name.text}: ${rubric.text}` }
  })
}
