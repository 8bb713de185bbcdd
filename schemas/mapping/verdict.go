package mapping

// The codes of a skip: a record of which deliberately nothing is sent. The set is
// closed; they are metric labels.
const (
	SkipTombstone  = "tombstone"   // the value is null, or the envelope has no data
	SkipDeleted    = "deleted"     // a row was deleted; a message never is by this connector
	SkipNotARow    = "not_a_row"   // a table was truncated, or a logical decoding message
	SkipUnchanged  = "unchanged"   // no member that could be sent has changed
	SkipOtherEvent = "other_event" // a Kustomer event that is no kustomer.message.update
	SkipOwnUpdate  = "own_update"  // a Kustomer event of an update by this connector
	SkipFiltered   = "filtered"    // the jq program gave nothing
)

// Skips returns all codes of skips, for metrics to start at zero.
func Skips() []string {
	return []string{SkipTombstone, SkipDeleted, SkipNotARow, SkipUnchanged, SkipOtherEvent, SkipOwnUpdate, SkipFiltered}
}

// The codes of a [Fault]. The set is closed.
const (
	FaultMalformed  = "malformed"          // no JSON, no unambiguous JSON, or nested too deep
	FaultCloudEvent = "mapping_cloudevent" // the CloudEvents envelope is not as it should be
	FaultShape      = "mapping_shape"      // a member is missing or of the wrong type
	FaultJQ         = "mapping_jq"         // the program failed, or called error
	FaultJQTimeout  = "mapping_jq_timeout" // the program took too long, twice
	FaultJQOutput   = "mapping_jq_output"  // what the program gave is no object, or too much
)

// Faults returns all codes of faults, for metrics to start at zero.
func Faults() []string {
	return []string{FaultMalformed, FaultCloudEvent, FaultShape, FaultJQ, FaultJQTimeout, FaultJQOutput}
}

// Fault is why a record cannot be mapped, for the dead-letter topic. Its text names
// members by what the configuration, a preset or the program calls them. It never
// says what stands in the record.
type Fault struct {
	Code string
	Text string
}

func (f *Fault) Error() string { return f.Text + " (" + f.Code + ")" }
