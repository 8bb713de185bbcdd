package admin

import "kafka-kustomer/batcher"

// outlook is what somebody who is woken up by a reason asks next.
type outlook struct {
	safe string // what can't go wrong meanwhile
	ends string // what ends it, and whether that needs anybody
}

const (
	waits  = "nothing is lost or given up: what waits stays uncommitted in Kafka"
	itself = "by itself"
)

// outlooks has one for each of kinds.
var outlooks = map[string]outlook{
	kindStuck:    {"offsets are committed only for what is done, so a restart loses nothing", "with a restart, if the process does not get its processor time back"},
	kindDraining: {"what was sent is awaited, and the rest is given back to the group", "with the process, within drain_timeout"},
	kindStarting: {"nothing was read yet", itself + ", once Kafka answers; the process ends with code 1 when it can't start"},
	kindJoining:  {"nothing was read yet", itself + ", once the group has settled"},

	string(batcher.TroubleConfiguration): {waits, "when it is put right; it is tried again meanwhile, and no restart is needed but for the connector's own configuration"},
	string(batcher.TroubleOutage):        {waits, itself + ", with the first call that gets through"},
	string(batcher.TroubleQuota):         {waits, itself + ", at the time of the next try"},
	string(batcher.TroubleTakeover):      {waits + ", and nothing can overwrite what the last owner sent", itself + ", at the time of the next try, or once that owner's operations have ended"},
	string(batcher.TroubleLease):         {waits + ", and nothing is sent that a new owner could be overtaken by", itself + ", once Kafka acknowledges a heartbeat"},
	string(batcher.TroubleUnreadable):    {"Kustomer applies what it has accepted all the same; it stays uncommitted until that was seen", itself + ", once operations can be read again"},
	string(batcher.TroubleOverdue):       {waits + ", and messages with a change under way get no newer one", "when Kustomer ends one of the operations"},
	string(batcher.TroubleBrake):         {"nothing more is given up: what would be is kept, uncommitted, and everything else goes on or waits", "when a try gets through, or the cause is put right and the program started again, or the brake is released by hand"},

	kindPartition: {"other partitions go on, and nothing of this one is committed beyond what is done", "when it is put right: see check"},
	kindKafka:     {"what was read is kept, and only what is done is committed", itself + ", once the brokers and the group answer"},
	kindRegistry:  {waits + ", of the partitions whose next record needs a schema; the others go on", itself + ", once the registry answers and lets us in; where it does not have a schema, its record is a dead letter after schema_registry.unknown_grace"},
	kindResults:   {"what Kustomer has applied stays uncommitted until its result event is written; a restart would send it again", itself + ", once Kafka acknowledges"},
}
