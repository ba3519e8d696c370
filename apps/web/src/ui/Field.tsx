import {
  useId,
  type InputHTMLAttributes,
  type ReactNode,
  type SelectHTMLAttributes,
  type TextareaHTMLAttributes,
} from 'react'

const control =
  'w-full rounded-md border border-control bg-panel px-2.5 text-[0.8125rem] text-text placeholder:text-muted aria-invalid:border-bad pointer-coarse:min-h-11 pointer-coarse:text-base'

type Shared = { label: string; error?: string | undefined; help?: ReactNode; hideLabel?: boolean }

function Frame(props: Shared & { id: string; children: ReactNode }) {
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] content-start gap-1">
      <label
        htmlFor={props.id}
        className={props.hideLabel === true ? 'sr-only' : 'text-[0.8125rem] font-medium'}
      >
        {props.label}
      </label>
      {props.children}
      {props.help !== undefined && (
        <p id={`${props.id}-help`} className="text-xs text-muted">
          {props.help}
        </p>
      )}
      {props.error !== undefined && (
        <p id={`${props.id}-error`} className="text-xs text-bad">
          {props.error}
        </p>
      )}
    </div>
  )
}

function described(id: string, { error, help }: Shared) {
  const ids = [help === undefined ? '' : `${id}-help`, error === undefined ? '' : `${id}-error`]
    .join(' ')
    .trim()
  return { id, 'aria-invalid': error !== undefined, ...(ids === '' ? {} : { 'aria-describedby': ids }) }
}

export function TextField(props: Shared & InputHTMLAttributes<HTMLInputElement>) {
  const { label, error, help, hideLabel, className = '', ...rest } = props
  const id = useId()
  return (
    <Frame {...{ label, error, help, id }} {...(hideLabel === undefined ? {} : { hideLabel })}>
      <input {...rest} {...described(id, props)} className={`${control} h-8 ${className}`} />
    </Frame>
  )
}

export function TextArea(props: Shared & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  const { label, error, help, hideLabel, className = '', ...rest } = props
  const id = useId()
  return (
    <Frame {...{ label, error, help, id }} {...(hideLabel === undefined ? {} : { hideLabel })}>
      <textarea {...rest} {...described(id, props)} className={`${control} py-1.5 ${className}`} />
    </Frame>
  )
}

export function SelectField(props: Shared & SelectHTMLAttributes<HTMLSelectElement>) {
  const { label, error, help, hideLabel, className = '', children, ...rest } = props
  const id = useId()
  return (
    <Frame {...{ label, error, help, id }} {...(hideLabel === undefined ? {} : { hideLabel })}>
      <select {...rest} {...described(id, props)} className={`${control} h-8 ${className}`}>
        {children}
      </select>
    </Frame>
  )
}
