import { catchAll } from './mutants/catch.ts'
import { roundMutants } from './mutants/rounds.ts'

catchAll('the rounds', roundMutants)
