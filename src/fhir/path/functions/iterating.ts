/**
 * Functions whose arguments are worked out on each item.
 * http://hl7.org/fhirpath/N1/#filtering-and-projection, http://hl7.org/fhirpath/N1/#aggregates
 */
import { type Evaluate, type Functions, forEach, type PathFunction, single, textOf } from '../compiled.ts'
import { spend } from '../environment.ts'
import { keyOf } from '../equality.ts'
import { pathFault } from '../fault.ts'
import { compareValues } from '../operators.ts'
import { EMPTY, NOTHING, type PathValue } from '../value.ts'

const where: PathFunction = {
  args: [1, 1],
  iterates: true,
  compile: (input, args, compiler) => {
    const test = compiler.test(args[0]!)
    return (self, env) => {
      const items = input(self, env)
      if (items.length === 0) return EMPTY
      const out: PathValue[] = []
      forEach(items, env, item => {
        if (test(item, env) === true) out.push(item)
        return true
      })
      return out
    }
  },
}

const select: PathFunction = {
  args: [1, 1],
  iterates: true,
  compile: (input, args, compiler) => {
    const project = compiler.values(args[0]!)
    return (self, env) => {
      const items = input(self, env)
      if (items.length === 0) return EMPTY
      const out: PathValue[] = []
      forEach(items, env, item => {
        const values = project(item, env)
        spend(env, values.length)
        for (const value of values) out.push(value)
        return true
      })
      return out
    }
  },
}

const repeat: PathFunction = {
  args: [1, 1],
  iterates: true,
  compile: (input, args, compiler) => {
    const project = compiler.values(args[0]!)
    return (self, env) => {
      const seen = new Set<string>()
      const out: PathValue[] = []
      let items = input(self, env)
      while (items.length > 0) {
        const next: PathValue[] = []
        forEach(items, env, item => {
          for (const value of project(item, env)) {
            const key = keyOf(value, env)
            if (seen.has(key)) continue
            seen.add(key)
            out.push(value)
            next.push(value)
          }
          return true
        })
        items = next
      }
      return out
    }
  },
}

const aggregate: PathFunction = {
  args: [1, 2],
  iterates: true,
  compile: (input, args, compiler) => {
    const step = compiler.values(args[0]!)
    const start = args[1] === undefined ? undefined : compiler.values(args[1])
    return (self, env) => {
      const items = input(self, env)
      const outer = env.total
      env.total = start === undefined ? EMPTY : start(self, env)
      forEach(items, env, item => {
        env.total = step(item, env)
        return true
      })
      const total = env.total
      env.total = outer
      return total
    }
  },
}

const iif: PathFunction = {
  args: [2, 3],
  iterates: true,
  compile: (input, args, compiler) => {
    const [condition, yes, no] = args.map(arg => compiler.values(arg)) as [Evaluate, Evaluate, Evaluate?]
    return (self, env) => {
      const values = input(self, env)
      const item = values === EMPTY || values.length === 0 ? NOTHING : single(values)!
      const decided = single(condition(item, env))
      if (decided !== undefined && decided.value !== null && typeof decided.value !== 'boolean')
        throw pathFault('the condition of iif() is no boolean')
      return decided?.value === true ? yes(item, env) : (no?.(item, env) ?? EMPTY)
    }
  },
}

const trace: PathFunction = {
  args: [1, 2],
  iterates: true,
  compile: (input, args, compiler) => {
    const name = compiler.values(args[0]!)
    const project = args[1] === undefined ? undefined : compiler.values(args[1])
    return (self, env) => {
      const values = input(self, env)
      if (env.trace !== undefined) {
        const shown = project === undefined ? values : values.flatMap(value => project(value, env))
        env.trace(textOf(name(self, env)) ?? '', shown)
      }
      return values
    }
  },
}

/** Later edition's sort(): by each key in turn; a key with a minus sorts downward, of strings too. What has no value comes first either way. */
const sort: PathFunction = {
  args: [0, 8],
  iterates: true,
  compile: (input, args, compiler) => {
    const keys = args.map(arg =>
      arg.op === 'sign' && arg.minus
        ? { down: true, values: compiler.values(arg.of) }
        : { down: false, values: compiler.values(arg) },
    )
    if (keys.length === 0) keys.push({ down: false, values: self => [self] })
    return (self, env) => {
      const rows: { item: PathValue; keys: (PathValue | undefined)[] }[] = []
      forEach(input(self, env), env, item => {
        rows.push({ item, keys: keys.map(key => single(key.values(item, env))) })
        return true
      })
      spend(env, rows.length * 8)
      rows.sort((a, b) => {
        for (let i = 0; i < keys.length; i++) {
          const order = compareKeys(a.keys[i], b.keys[i], keys[i]!.down)
          if (order !== 0) return order
        }
        return 0
      })
      return rows.map(row => row.item)
    }
  },
}

function compareKeys(a: PathValue | undefined, b: PathValue | undefined, down: boolean): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1
  const order = compareValues(a, b) ?? 0
  return down ? -order : order
}

export const ITERATING_FUNCTIONS: Functions = [
  ['where', where],
  ['select', select],
  ['repeat', repeat],
  ['aggregate', aggregate],
  ['iif', iif],
  ['trace', trace],
  ['sort', sort],
]
