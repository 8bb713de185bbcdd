package main

// resultsGuards are those of the result events and dead letters: nothing is said
// to be written that is not, and nothing stands in the way of writing it.
var resultsGuards = []guard{
	{name: "a report is done when all its parts are", file: "sink/results/writer.go", old: "last := n == 0", new: "last := true"},
	{name: "one failed part fails the report", file: "sink/results/writer.go", old: "\t\tif failed == nil {\n\t\t\tfailed = err\n\t\t}\n", new: "\t\tfailed = err\n"},
	{name: "written is what all replicas in sync have", file: "sink/results/writer.go", old: "kgo.RequiredAcks(kgo.AllISRAcks()),", new: "kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite(),"},
	{name: "a topic that is not there yet is waited for", file: "sink/results/writer.go", old: "\t\tkgo.UnknownTopicRetries(-1),\n", new: "\t\tkgo.UnknownTopicRetries(1),\n"},
	{name: "closing waits for what is under way", file: "sink/results/writer.go", old: "w.client.Flush(ctx)", new: "ctx.Err()"},
	{name: "a written record keeps nothing alive", file: "sink/results/writer.go", old: "{ r.Key, r.Value, r.Headers = nil, nil, nil }", new: "{}"},
	{name: "a topic made anew is written to", file: "sink/results/writer.go", old: "w.client.PurgeTopicsFromProducing(topic)", new: "_ = topic"},
	{name: "a dead letter too large is written without its value", file: "sink/results/writer.go", old: "if errors.Is(err, kerr.MessageTooLarge) && much < bare {", new: "if false {"},
	{name: "then without its key and headers", file: "sink/results/writer.go", old: "kerr.MessageTooLarge) && much < bare {", new: "kerr.MessageTooLarge) && much < withoutValue {"},
	{name: "a smaller dead letter does not wait for room", file: "sink/results/writer.go", old: "w.bury(w.client.TryProduce,", new: "w.bury(w.client.Produce,"},
	{name: "a dead letter loses the headers of an earlier one", file: "sink/results/deadletter.go", old: "if !strings.HasPrefix(h.Key, connectPrefix) && !strings.HasPrefix(h.Key, ourPrefix) {", new: "if strings.HasPrefix(h.Key, \"\") {"},
	{name: "a dead letter names its batch", file: "sink/results/deadletter.go", old: "\t\t{ourPrefix + \"batch.id\", b.BatchID},\n", new: ""},
	{name: "a dead letter says where it is from", file: "sink/results/deadletter.go", old: "\t\t{connectPrefix + \"offset\", strconv.FormatInt(b.Event.Offset, 10)},\n", new: ""},
	{name: "a value left out has its hash", file: "sink/results/deadletter.go", old: "\t\tadd(r, ourPrefix+\"value.sha256\", hex.EncodeToString(sum[:]))\n", new: "\t\t_ = hex.EncodeToString(sum[:])\n"},
	{name: "no batch is larger than its topic takes", file: "sink/results/ensure.go", old: "c.Sizes.set(topic, n)", new: "_ = n"},
	{name: "a result event fits into a batch of its topic", file: "sink/results/sizes.go", old: "int(s.batch(topic)) * 9 / 10", new: "int(s.batch(topic))"},
	{name: "a topic not to be written to is found out at the start", file: "sink/results/ensure.go", old: "len(ops) > 0 && !slices.Contains(ops, kmsg.ACLOperationWrite)", new: "len(ops) < 0 && !slices.Contains(ops, kmsg.ACLOperationWrite)"},
	{name: "no topic is created against the configuration", file: "sink/results/ensure.go", old: "if !t.create {", new: "if false {"},
	{name: "another member may create the topic first", file: "sink/results/ensure.go", old: "case errors.Is(err, kerr.TopicAlreadyExists):", new: "case false:"},
	{name: "the producer id is there before the first write", file: "sink/results/ensure.go", old: "if _, _, err := w.client.ProducerID(ctx); err != nil {", new: "if err := ctx.Err(); err != nil {"},
	{name: "a refusal is told ever more seldom", file: "sink/results/trouble.go", old: "if r.told.due(now, text) {", new: "if r.told.due(now, text) || true {"},
	{name: "refusals that take turns are told ever more seldom", file: "sink/results/trouble.go", old: "max(relogAfter, 2*gap)", new: "relogAfter"},
	{name: "another refusal is told soon", file: "sink/results/trouble.go", old: "gap := min(t.gap, remindAfter)", new: "gap := t.gap"},
	{name: "a refusal that does not come again is over", file: "sink/results/trouble.go", old: "if now.Sub(r.last) < quietAfter {", new: "if true {"},
	{name: "a write without an answer is told", file: "sink/results/trouble.go", old: "stalled := some && time.Since(oldest.began) >= stallAfter", new: "stalled := false && some"},
	{name: "a stall is told once", file: "sink/results/trouble.go", old: "case stalled && (before == nil || before.Topic != oldest.topic):", new: "case stalled:"},
}
