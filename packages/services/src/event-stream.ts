/** Where events of a stream go. */
export interface EventSink {
  /** Answers false once nobody listens any more, or whoever does is too slow. */
  send: (event: string, id: string, data: unknown) => boolean;
  end: () => void;
}

/** An answer that goes on: events as they happen, until somebody ends it. */
export class EventStream {
  /** Begins it; what it answers is called once when nobody listens any more. */
  readonly open: (sink: EventSink) => () => void;

  constructor(open: (sink: EventSink) => () => void) {
    this.open = open;
  }
}
