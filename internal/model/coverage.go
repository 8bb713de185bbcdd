package model

// Coverage counts the troubles that did happen, to know that a run that went
// well was not merely a quiet one.
type Coverage struct {
	Faults        [faults]int
	Takeovers     int // partitions taken over that were left open
	RevokedOpen   int // revocations with open events
	Zombies       int // requests from a process whose partition had another owner
	StraysApplied int // items applied of operations that no process knew
	LateCommits   int // commits applied after a later one of the partition
	PolledForOld  int // records handed over for an assignment that was gone
	LeaseAtWrite  int // bodies not written because the lease was over by then
	Fenced        int // processes that learned that the group had gone on without them
	Overdue       int // operations reported as running too long
	DeadLetters   int
	AppliedAgain  int // items applied whose events all were before
	Folded        int // items applied of several events
	Inherited     int // operations of an earlier owner that were looked at
	CameBack      int // partitions that a process got a second time
	Puts          int // requests that arrived
	Refusals      int // of them, answered 400, 409 or 413
	Unsendable    int // events that no request may hold
	Released      int // brakes released by hand
	Braked        int // healthy events that the brake let through
	UsedUp        int // runs that stood still at the end because the reserve was used up
	PartGivenUp   int // records with a change that was given up and another one that was applied
	TwoLetters    int // records of which several changes were given up
	PartDropped   int // times a record was given back though a change of it had settled
}

// Add adds o to c.
func (c *Coverage) Add(o Coverage) {
	for f := range faults {
		c.Faults[f] += o.Faults[f]
	}
	c.Takeovers += o.Takeovers
	c.RevokedOpen += o.RevokedOpen
	c.Zombies += o.Zombies
	c.StraysApplied += o.StraysApplied
	c.LateCommits += o.LateCommits
	c.PolledForOld += o.PolledForOld
	c.LeaseAtWrite += o.LeaseAtWrite
	c.Fenced += o.Fenced
	c.Overdue += o.Overdue
	c.DeadLetters += o.DeadLetters
	c.AppliedAgain += o.AppliedAgain
	c.Folded += o.Folded
	c.Inherited += o.Inherited
	c.CameBack += o.CameBack
	c.Puts += o.Puts
	c.Refusals += o.Refusals
	c.Unsendable += o.Unsendable
	c.Released += o.Released
	c.Braked += o.Braked
	c.UsedUp += o.UsedUp
	c.PartGivenUp += o.PartGivenUp
	c.TwoLetters += o.TwoLetters
	c.PartDropped += o.PartDropped
}
