// A8 and A9, shared by server and browser: what may be said on which topic.
export interface Push {
  readonly userId: number;
  readonly text: string;
}
export interface UserTopic {
  join(params: { readonly device: string }): { readonly unread: number };
  in: { ack(payload: { readonly id: string }): { readonly unread: number } };
  out: { push: Push; unread: { readonly count: number } };
}
export interface Topics {
  "user:*": UserTopic;
}
