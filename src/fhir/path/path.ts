/**
 * FHIRPath, compiled once and evaluated often.
 * http://hl7.org/fhirpath/N1/, https://hl7.org/fhir/R4/fhirpath.html
 */
import { compileTest, compileValues } from './compile.ts'
import type { Evaluate } from './compiled.ts'
import type { Environment } from './environment.ts'
import { parsePath } from './parse.ts'
import { EMPTY, NOTHING, type PathValue, type Values } from './value.ts'

export interface Path {
  readonly expression: string
  /**
   * Returns the collection. `focus` is `$this` and `%context`.
   *
   * Throws `processing` where the specification has an error, such as many values where one is expected, and `too-costly` when the steps of
   * the environment are used up.
   */
  evaluate(focus: PathValue | undefined, env: Environment): Values
  /** Returns whether the result is true; undefined where it is empty, which breaks no invariant. Throws as `evaluate` does. */
  holds(focus: PathValue | undefined, env: Environment): boolean | undefined
}

/** Returns the expression, ready to be evaluated. Throws PathSyntax, with the position, for what is none. */
export function compilePath(expression: string): Path {
  const ast = parsePath(expression)
  const test = compileTest(ast)
  // Most expressions are only asked whether they hold.
  let values: Evaluate | undefined
  return {
    expression,
    evaluate: (focus, env) => {
      values ??= compileValues(ast)
      return run(values, focus, env)
    },
    holds: (focus, env) => run(test, focus, env),
  }
}

function run<T>(
  compiled: (self: PathValue, env: Environment) => T,
  focus: PathValue = NOTHING,
  env: Environment,
): T {
  const { context, index, total } = env
  env.context = focus
  env.index = 0
  env.total = EMPTY
  try {
    return compiled(focus, env)
  } finally {
    // A hook may evaluate on the same environment, and go on after a fault there.
    env.context = context
    env.index = index
    env.total = total
  }
}
