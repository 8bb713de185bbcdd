package model

// Scene is a world in which troubles of one kind meet more often than where
// every fault has its turn.
type Scene struct {
	Name   string
	Config Config
}

// Scenes lists them.
func Scenes() []Scene {
	moving := Only(Kill, Rebalance, SlowPut, SlowReply, LostReply)
	scene := func(name string, r Rates) Scene {
		c := DefaultConfig()
		c.Rates = r
		return Scene{name, c}
	}
	return []Scene{
		scene("poisons", moving.plus(Only(RightHint, WrongHint, Conflict, ConflictPoison, Oversize, Poison)).
			With(RefusedPoison, .15).With(ConflictPoison, .1).With(Oversize, .15).With(ErrorPoison, .01)),
		scene("errors", moving.plus(Only(ErrorPoison, ErrorRefused, ErrorAccepted, Cut, FastTakeover)).
			With(ErrorPoison, .06)),
		scene("records", moving.plus(Only(Poison, ErrorAccepted, Shutdown, FailProduce, SlowProduce, Several)).
			With(Several, .5).With(Poison, .2).With(RefusedPoison, .1).With(ErrorPoison, .02).With(Malformed, .05)),
		scene("brake", moving.plus(Only(Broken, Malformed, WrongHint, KeyRefused, Shutdown, Poison, OffsetReset)).
			With(Broken, .1).With(Malformed, .3).With(RefusedPoison, .2)),
		scene("quota", moving.plus(Only(Quota, ThreeProcesses, OrgLimit, ErrorRefused, DialFailure, SlowLook))),
		scene("roles", moving.plus(Only(AuditLost, LostRole, KeyRefused, LookRefused, RefusedPoison)).
			With(AuditLost, .1).With(LostRole, .03).With(KeyRefused, .03)),
		scene("limits", moving.plus(Only(ObjectLimit, LongLimit, TwoPartitions, OrgLimit)).
			With(ObjectLimit, .1).With(LongLimit, .03)),
		scene("admin", moving.plus(Only(OffsetReset, PartitionsAdded, ErrorAccepted, Shutdown, LongRun, VanishLate, Cut, FastTakeover)).
			With(OffsetReset, .03)),
		scene("crowd", moving.plus(Only(ThreeProcesses, PartitionsAdded, Stop, Cut, Twin, FastTakeover, LateCommit, LateHanding, ErrorAccepted)).
			With(Rebalance, .2)),
	}
}
