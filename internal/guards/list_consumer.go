package main

// consumerGuards are those of the group's member: what is ours, what may be
// committed, what is handed over, and when the group last heard of us.
var consumerGuards = []guard{
	// Commits.
	{name: "a problem hidden by an outage is told of after it", file: "consumer/problems.go", old: "\t\tif e.logged == \"\" {\n\t\t\tps.tell(key, e, now)", new: "\t\tif false {\n\t\t\tps.tell(key, e, now)", tests: "consumer TestProblems"},
	{name: "a commit of a lost tenure is not sent", file: "consumer/commit.go", old: "tenure == nil || tenure.member != req.MemberID ||", new: "tenure != nil && tenure.member != req.MemberID || tenure != nil &&"},
	{name: "a commit is sent by the member that it is for", file: "consumer/commit.go", old: "tenure.member != req.MemberID ||", new: ""},
	{name: "a commit that nothing is left of is not sent", file: "consumer/commit.go", old: "if len(topics) == 0 {", new: "if false {"},
	{name: "what is not sent is refused", file: "consumer/commit.go", old: "if pc == nil || pc.Result == batcher.CommitRefused {", new: "if pc == nil {"},
	{name: "a commit ends with its context", file: "consumer/commit.go", old: "const commitGrace = 50 * time.Millisecond", new: "const commitGrace = 5 * time.Second", tests: "internal/pipeline ^TestShutdownWhileKafkaIsSilent$"},
	{name: "kgo commits nothing by itself", file: "consumer/config.go", old: "\t\tkgo.DisableAutoCommit(),\n", new: ""},
	{name: "a commit keeps its metadata", file: "consumer/commit.go", old: "p.Metadata = &pc.Metadata", new: "_ = pc.Metadata"},
	{name: "a commit keeps its epoch", file: "consumer/commit.go", old: "Epoch: pc.LeaderEpoch, Offset: pc.Offset", new: "Epoch: -1, Offset: pc.Offset"},
	{name: "each partition has its own result", file: "consumer/commit.go", old: "pc.Result = commitResult(err)", new: "pc.Result = batcher.CommitDone"},
	{name: "an error that may pass leaves a commit unknown", file: "consumer/commit.go", old: "case kerr.IsRetriable(err), errors.Is(err, kerr.UnknownServerError):", new: "case false:"},
	{name: "an answer names topics by id", file: "consumer/commit.go", old: "topic = names[t.TopicID]", new: "_ = names"},
	{name: "a fence is no trouble", file: "consumer/commit.go", old: "case !fenced(err):", new: "default:"},

	// Ownership.
	{name: "an answer under a new member id ends all tenures", file: "consumer/ownership.go", old: "\t\tif t.member != member {\n\t\t\tstale", new: "\t\tif false {\n\t\t\tstale"},
	{name: "what is taken anew is lost first", file: "consumer/ownership.go", old: "\tc.lose(stale)\n", new: ""},
	{name: "what is taken anew is read from its commit", file: "consumer/ownership.go", old: "client.SetOffsets(positions)", new: "_ = positions"},
	{name: "without a commit it is read from its first record", file: "consumer/ownership.go", old: "kgo.EpochOffset{Epoch: -1, Offset: t.first}", new: "kgo.EpochOffset{Epoch: -1, Offset: -1}"},
	{name: "what comes twice was lost between", file: "consumer/ownership.go", old: "if old := c.held(starts); len(old) > 0 {", new: "if old := c.held(starts); false {"},
	{name: "a partition whose commit is not known is not ours", file: "consumer/ownership.go", old: "!ours || p.ErrorCode != 0 {", new: "!ours {"},
	{name: "only what the group gave us is ours", file: "consumer/ownership.go", old: "!ours || p.ErrorCode != 0 {", new: "p.ErrorCode != 0 && ours {"},
	{name: "a start keeps the commit's metadata", file: "consumer/ownership.go", old: "s.Metadata = *p.Metadata", new: "_ = *p.Metadata"},
	{name: "no start without a commit where one is wanted", file: "consumer/ownership.go", old: "t.stuck = s.Offset < 0 && c.cfg.Start == StartCommitted", new: "t.stuck = false && c.cfg.Start == StartCommitted"},
	{name: "the owner gives back before the group takes", file: "consumer/ownership.go", old: "c.owner.Revoked(c.open, handles(revoked))", new: "_ = handles(revoked)"},
	{name: "what was another member's is lost, not given back", file: "consumer/ownership.go", old: "case t.member == member:", new: "case t.member == member || true:"},
	{name: "what was given back is no longer ours", file: "consumer/ownership.go", old: "\tc.drop(revoked)\n", new: ""},
	{name: "a lost partition is not ours when the owner is told", file: "consumer/ownership.go", old: "\tc.drop(ts)\n\tif c.open.Err() == nil {\n\t\tc.owner.Lost(handles(ts))\n\t}\n", new: "\tif c.open.Err() == nil {\n\t\tc.owner.Lost(handles(ts))\n\t}\n\tc.drop(ts)\n"},
	{name: "a lost membership loses everything", file: "consumer/ownership.go", old: "\t\tlost = append(lost, t)\n\t}\n\tclear(c.announced)", new: "\t\t_ = t\n\t}\n\tclear(c.announced)"},
	{name: "a pause ends with its tenure", file: "consumer/ownership.go", old: "\tif paused {\n", new: "\tif false && paused {\n"},
	{name: "a fenced instance ends the program", file: "consumer/ownership.go", old: "if errors.Is(err, kerr.FencedInstanceID) {", new: "if errors.Is(err, kerr.FencedInstanceID) && false {"},
	{name: "a pause of an old tenure does nothing", file: "consumer/consumer.go", old: "t != nil && t.handle == a {", new: "t != nil {"},

	// Polls.
	{name: "every poll lets rebalances go on", file: "consumer/poll.go", old: "\tdefer c.client.AllowRebalance()\n", new: ""},
	{name: "no rebalance while a poll is handed over", file: "consumer/config.go", old: "\t\tkgo.BlockRebalanceOnPoll(),\n", new: ""},
	{name: "closing obeys its context", file: "consumer/consumer.go", old: "stop := context.AfterFunc(ctx, c.kill)", new: "stop := func() bool { return false }"},
	{name: "records without an assignment end the program", file: "consumer/poll.go", old: "if handle == nil {", new: "if false {"},
	{name: "what was polled is handed over before an error", file: "consumer/poll.go", old: "if len(c.fetched) > 0 {", new: "if len(c.fetched) > 0 && err == nil {"},
	{name: "a handed-over poll is forgotten", file: "consumer/poll.go", old: "\tdefer c.release()\n", new: "\tdefer func() { c.changes, c.fetched = c.changes[:0], c.fetched[:0] }()\n"},
	{name: "an oversized record is not decoded", file: "consumer/poll.go", old: "size > c.cfg.MaxEventBytes {", new: "size < 0 {"},
	{name: "the end of a transaction is no event", file: "consumer/poll.go", old: "if r.Attrs.IsControl() {", new: "if false {"},
	{name: "the end of a transaction has its offset", file: "consumer/config.go", old: "\t\tkgo.KeepControlRecords(),\n", new: ""},
	{name: "records of an aborted transaction are not read", file: "consumer/config.go", old: "isolation := kgo.ReadCommitted()", new: "isolation := kgo.ReadUncommitted()"},
	{name: "a record shares no bytes with its batch", file: "consumer/copy.go", old: "\tn := copy(buf, src)\n\treturn buf[:n:n], buf[n:]", new: "\treturn src, buf[len(src):]"},
	{name: "no value is not an empty value", file: "consumer/copy.go", old: "if src == nil {", new: "if false {"},
	{name: "a batch is decompressed up to a bound", file: "consumer/config.go", old: "\t\tkgo.MaxDecompressBatchBytes(c.batchLimit()),\n", new: ""},
	{name: "a response is read up to a bound", file: "consumer/config.go", old: "\t\tkgo.BrokerMaxReadBytes(int32(c.batchLimit()+readRoom)),\n", new: ""},
	{name: "a dear batch counts at once", file: "consumer/appetite.go", old: "if a.cost > cost {", new: "if a.cost > 0 {"},
	{name: "own options undo none of ours", file: "consumer/config.go", old: "\treturn opts\n", new: "\treturn append(opts, c.Opts...)\n"},
	{name: "a static member speaks classic", file: "consumer/config.go", old: `case c.Protocol == ProtocolConsumer && c.InstanceID != "":`, new: "case false:"},

	// Records that can't be decoded yet.
	{name: "what is left behind is read again", file: "consumer/waiting.go", old: "\tc.client.SetOffsets(positions)\n", new: ""},
	{name: "a partition that waits is not fetched", file: "consumer/consumer.go", old: "t.paused || t.endWait != nil ||", new: "t.paused ||"},
	{name: "a wait ends with its tenure", file: "consumer/ownership.go", old: "\t\tt.endWait()\n", new: ""},
	{name: "the end of a wait is not that of a pause", file: "consumer/waiting.go", old: "\t\tt.endWait = nil\n\t\tc.applyPause(t)\n", new: "\t\tt.endWait, t.paused = nil, false\n\t\tc.applyPause(t)\n"},
	{name: "an ended wait lets the partition go on", file: "consumer/waiting.go", old: "\t\tt.endWait = nil\n\t\tc.applyPause(t)\n", new: "\t\tt.endWait = nil\n"},
	{name: "a short wait is no problem", file: "consumer/waiting.go", old: "const waitShown = 2 * time.Second", new: "const waitShown = 0"},
	{name: "a poll ends at so many changes", file: "consumer/poll.go", old: "if c.room <= 0 {", new: "if false {"},
	{name: "a poll ends in time", file: "consumer/poll.go", old: "time.Now().After(c.until) {", new: "false {"},
	{name: "records of several changes are polled in smaller numbers", file: "consumer/poll.go", old: "max(1, limit/max(1, c.perRecord))", new: "limit"},
	{name: "what was not handed over is not where a tenure began", file: "consumer/waiting.go", old: "t.first >= s.offset {", new: "false {"},

	// Faults and positions.
	{name: "an offset out of range stops its partition", file: "consumer/config.go", old: "reset := kgo.NoResetOffset()", new: "reset := kgo.NewOffset().AtStart()"},
	{name: "a batch too large stands still and says where", file: "consumer/faults.go", old: "case errors.As(err, &tooLarge):", new: "case errors.As(err, &tooLarge) && false:"},
	{name: "a fault pauses its partition ever longer", file: "consumer/faults.go", old: "f.backoff = min(faultBackoffMax, max(faultBackoffMin, 2*f.backoff))", new: "f.backoff = faultBackoffMin"},
	{name: "a fault's partition is tried again", file: "consumer/faults.go", old: "\t\t\tf.paused, f.until = false, now.Add(faultProbe)\n\t\t\tc.applyPause(t)\n", new: "\t\t\tf.paused, f.until = false, now.Add(faultProbe)\n"},
	{name: "errors of the group slow polling", file: "consumer/poll.go", old: "if !failing {", new: "if !failing || true {"},
	{name: "a commit beyond the log is told", file: "consumer/position.go", old: "start <= t.next && t.next <= end:", new: "start <= t.next:"},
	{name: "deleted records are counted", file: "consumer/position.go", old: "c.expired += uint64(start - t.next)", new: "_ = start"},
	{name: "only what the log has lost is counted", file: "consumer/poll.go", old: "case from > due && p.LogStartOffset > due:", new: "case from > due:"},
	{name: "a new partition is read from its beginning", file: "consumer/topics.go", old: "t.next < 0 && c.isNew(topic, p) {", new: "false {"},
	{name: "nothing is committed for a topic that is no more", file: "consumer/topics.go", old: "t.gone = true", new: "t.gone = false"},
	{name: "what was read of a topic that is no more is delivered", file: "consumer/topics.go", old: "t.first >= 0 && t.settled < t.next {", new: "false && t.first >= 0 {"},
	{name: "a topic made anew is not read where a reset fails", file: "consumer/topics.go", old: "case c.cfg.OnReset == ResetFail:", new: "case false:"},

	// Signs of life.
	{name: "a failed heartbeat is no sign of life", file: "consumer/alive.go", old: "p.doubts.Load() == b.doubts && sameMember()", new: "sameMember()"},
	{name: "a heartbeat of another member is no sign of life", file: "consumer/alive.go", old: "p.doubts.Load() == b.doubts && sameMember()", new: "p.doubts.Load() == b.doubts"},
	{name: "a sign of life counts from the sending", file: "consumer/alive.go", old: "sent: now.Add(-took)", new: "sent: now"},
	{name: "a sign of life waits for doubts", file: "consumer/alive.go", old: "due: now.Add(grace)", new: "due: now"},
	{name: "it waits longer after a search", file: "consumer/alive.go", old: "b.due = now.Add(graceAfterSearch)", new: "_ = graceAfterSearch"},
	{name: "a search for the coordinator is a doubt", file: "consumer/alive.go", old: "func (p *pulse) searching() {\n\tp.doubt()\n", new: "func (p *pulse) searching() {\n"},
	{name: "the end of a membership is a doubt", file: "consumer/alive.go", old: "func (p *pulse) ended() {\n\tp.doubt()\n", new: "func (p *pulse) ended() {\n"},
	{name: "a response that failed is no sign of life", file: "consumer/alive.go", old: "\tif e2e.Err() != nil {\n\t\treturn\n", new: "\tif false {\n\t\treturn\n"},
	{name: "a rebalance is no failed heartbeat", file: "consumer/alive.go", old: "!errors.Is(err, kerr.RebalanceInProgress) {", new: "(true || !errors.Is(err, kerr.RebalanceInProgress)) {"},

	// What is used again.
	{name: "what a poll has copied is given back", file: "consumer/poll.go", old: "r.Recycle() // its bytes", new: "_ = r // its bytes"},
	{name: "a huge slab is not kept", file: "consumer/slabs.go", old: "if cap(b) <= maxSlabBytes {", new: "if true {"},
	{name: "many records are not kept", file: "consumer/slabs.go", old: "if cap(r) <= maxSlabRecords {", new: "if true {"},
	{name: "no more slabs are kept than eight", file: "consumer/slabs.go", old: "if len(*kept) < keptSlabs {", new: "if true {"},
	{name: "a slab has room", file: "consumer/slabs.go", old: "cap((*kept)[last]) < n {", new: "false {"},

	// What is told.
	{name: "what no waiting cures needs a person", file: "consumer/problems.go", old: "now, lasts(err)", new: "now, false"},
	{name: "a problem that lasts is told ever more seldom", file: "consumer/problems.go", old: "gap = max(e.gap, remindAfter)", new: "gap = relogAfter"},
	{name: "a problem whose text changes is told ever more seldom", file: "consumer/problems.go", old: "max(relogAfter, 2*gap)", new: "relogAfter"},
	{name: "another text is told soon", file: "consumer/problems.go", old: "gap := min(e.gap, remindAfter)", new: "gap := e.gap"},
	{name: "what an outage brings about is not told", file: "consumer/problems.go", old: `if !key.stands() && ps.unreachable() &&`, new: "if false &&"},
}
