/** Why a rule is refused. `pointer` is a JSON pointer (RFC 6901) into the rule as it was sent; `''` is the whole of it. */
export interface Issue {
  pointer: string;
  code: IssueCode;
  message: string;
}

export type IssueCode =
  | 'required'
  | 'unknown_field'
  | 'forbidden_key'
  | 'invalid_type'
  | 'invalid_value'
  | 'not_finite'
  | 'out_of_range'
  | 'empty'
  | 'too_deep'
  | 'too_many'
  | 'conflict'
  | 'duplicate'
  | 'no_meaning'
  | 'recover_side'
  | 'recover_under_not'
  | 'level_under_not'
  | 'level_order'
  | 'severity_with_levels'
  | 'cycle'
  | 'no_series';

export type Path = readonly (string | number)[];

export const pointerTo = (path: Path): string =>
  path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
