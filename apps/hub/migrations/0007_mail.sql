-- What a worker says about itself.
alter table workers add column status text not null default '';

-- One row per workspace that every post locks: numbers are given and committed in one order, so that nobody who reads
-- up to a number misses one below it. Posts are bounded by the limit per sender, so this is not a hot row.
create table mail_heads (
  workspace_id uuid primary key references workspaces (id),
  last_seq bigint not null default 0,
  -- Rows of messages that are there: the oldest go when there are too many, without counting them each time.
  kept integer not null default 0,
  -- Raised by every change of who is subscribed to what, so that hubs read the members anew only then.
  members_version bigint not null default 0
);
call protect('mail_heads', 'select, insert, update', 'select');

create table channels (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  name text not null,
  -- Given to its newest message; places count from 1 without a gap, as positions in mailboxes do.
  last bigint not null default 0,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  unique (workspace_id, name)
);
call protect('channels', 'select, insert, update', null);

create table channel_members (
  workspace_id uuid not null,
  channel_id uuid not null,
  worker_id uuid not null,
  primary key (workspace_id, channel_id, worker_id),
  foreign key (workspace_id, channel_id) references channels (workspace_id, id),
  foreign key (workspace_id, worker_id) references workers (workspace_id, id)
);
call protect('channel_members', 'select, insert, delete', null);

create table messages (
  workspace_id uuid not null references workspaces (id),
  seq bigint not null,
  id uuid not null,
  from_kind text not null check (from_kind in ('worker', 'person')),
  from_id uuid not null,
  from_name text not null,
  -- Nobody: for everybody.
  to_kind text check (to_kind in ('worker', 'person')),
  to_id uuid,
  to_name text,
  channel_id uuid,
  channel text,
  place bigint,
  reply_to uuid,
  -- The first message of the thread, this one itself if it began one; it may be gone before its answers.
  root uuid not null,
  -- The sender's own name for this message, so that one that is sent again is stored once.
  key text,
  text text not null,
  -- JSON as it came: jsonb would refuse some of it.
  data text,
  at timestamptz not null default clock_timestamp(),
  primary key (workspace_id, seq),
  unique (workspace_id, id),
  foreign key (workspace_id, channel_id) references channels (workspace_id, id),
  check ((to_kind is null) = (to_id is null) and (to_kind is null) = (to_name is null)),
  check ((channel_id is null) = (channel is null) and (channel_id is null) = (place is null)),
  check (channel_id is null or to_id is null)
);
create unique index messages_by_channel on messages (workspace_id, channel_id, place) where channel_id is not null;
create index messages_by_thread on messages (workspace_id, root, seq);
create index messages_by_sender on messages (workspace_id, from_id, at);
create unique index messages_by_key on messages (workspace_id, from_id, key) where key is not null;
-- Texts are for the workspace alone: the loops that cross workspaces see only that there is something new.
call protect('messages', 'select, insert, delete', null);

-- Positions in a mailbox count from 1 without a gap, so a gap in what an agent reads is what it lost.
create table mailboxes (
  workspace_id uuid not null,
  worker_id uuid not null,
  last bigint not null,
  acked bigint not null default 0,
  primary key (workspace_id, worker_id),
  foreign key (workspace_id, worker_id) references workers (workspace_id, id),
  check (acked between 0 and last)
);
call protect('mailboxes', 'select, insert, update', 'select');

create table mailbox_entries (
  workspace_id uuid not null,
  worker_id uuid not null,
  -- A mailbox is a ring: the message that comes takes the slot of the one that it pushes out.
  slot integer not null,
  position bigint not null,
  seq bigint not null,
  at timestamptz not null default clock_timestamp(),
  primary key (workspace_id, worker_id, slot),
  foreign key (workspace_id, worker_id) references mailboxes (workspace_id, worker_id),
  foreign key (workspace_id, seq) references messages (workspace_id, seq)
);
create index mailbox_entries_by_message on mailbox_entries (workspace_id, seq);
create index mailbox_entries_by_age on mailbox_entries (at);
call protect('mailbox_entries', 'select, insert, update, delete', 'select, delete');
