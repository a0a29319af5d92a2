//! Which schedules are played: all of them, all with few changes of hands, or a sample with a fixed seed.

/// How the schedules of a scenario are chosen.
#[derive(Debug, Clone, Copy)]
pub enum Extent {
    /// Every schedule in which a job that could go on is interrupted at most so often.
    Every { interruptions: usize },
    /// So many, each drawn anew.
    Sample { schedules: usize, seed: u64 },
}

impl Extent {
    /// Every schedule there is.
    pub const ALL: Self = Self::Every { interruptions: usize::MAX };

    /// The same, with no more interruptions than that.
    pub fn within(self, most: usize) -> Self {
        match self {
            Self::Every { interruptions } => Self::Every { interruptions: interruptions.min(most) },
            sample @ Self::Sample { .. } => sample,
        }
    }
}

impl std::fmt::Display for Extent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Every { interruptions: usize::MAX } => write!(f, "all"),
            Self::Every { interruptions: 1 } => write!(f, "all with at most one interruption"),
            Self::Every { interruptions } => write!(f, "all with at most {interruptions} interruptions"),
            Self::Sample { seed, .. } => write!(f, "drawn with the seed {seed}"),
        }
    }
}

/// Walks through the schedules.
pub struct Search {
    extent: Extent,
    /// The choices of the present schedule: which of how many.
    path: Vec<(usize, usize)>,
    depth: usize,
    interruptions: usize,
    random: Random,
    played: usize,
}

impl Search {
    pub fn new(extent: Extent) -> Self {
        let random = Random::new(if let Extent::Sample { seed, .. } = extent { seed } else { 0 });
        Self { extent, path: Vec::new(), depth: 0, interruptions: 0, random, played: 0 }
    }

    /// Which of the jobs that can run does; `last` is the one that did.
    pub fn choose(&mut self, able: &[usize], last: Option<usize>) -> usize {
        let going = last.filter(|last| able.contains(last));
        // Going on comes first, so that the first schedule is the one without interruptions.
        let mut options: Vec<usize> =
            going.into_iter().chain(able.iter().copied().filter(|job| Some(*job) != going)).collect();
        if let Extent::Every { interruptions } = self.extent
            && going.is_some()
            && self.interruptions >= interruptions
        {
            options.truncate(1);
        }
        let at = match self.extent {
            Extent::Sample { .. } => self.random.below(options.len()),
            Extent::Every { .. } => self.next_on_path(options.len()),
        };
        self.interruptions += usize::from(going.is_some() && at > 0);
        options[at]
    }

    fn next_on_path(&mut self, options: usize) -> usize {
        if self.depth == self.path.len() {
            self.path.push((0, options));
        }
        let (at, before) = self.path[self.depth];
        assert_eq!(before, options, "the same choices led to another situation: the schedule cannot be repeated");
        self.depth += 1;
        at
    }

    /// After a schedule: whether there is another one.
    pub fn advance(&mut self) -> bool {
        (self.depth, self.interruptions) = (0, 0);
        self.played += 1;
        match self.extent {
            Extent::Sample { schedules, .. } => self.played < schedules,
            Extent::Every { .. } => {
                while self.path.pop_if(|(at, options)| *at + 1 == *options).is_some() {}
                self.path.last_mut().map(|(at, _)| *at += 1).is_some()
            }
        }
    }

    pub fn played(&self) -> usize {
        self.played
    }
}

/// Numbers that come again from the same seed: splitmix64.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Plays two jobs of three steps each.
    fn schedules(extent: Extent) -> Vec<Vec<usize>> {
        let (mut search, mut all) = (Search::new(extent), Vec::new());
        loop {
            let (mut left, mut schedule) = ([3, 3], Vec::new());
            while left != [0, 0] {
                let able: Vec<usize> = (0..2).filter(|job| left[*job] > 0).collect();
                let job = search.choose(&able, schedule.last().copied());
                left[job] -= 1;
                schedule.push(job);
            }
            all.push(schedule);
            if !search.advance() {
                return all;
            }
        }
    }

    #[test]
    fn every_schedule_is_played_once() {
        let all = schedules(Extent::ALL);
        assert_eq!(all.len(), 20);
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 20);
        assert_eq!(schedules(Extent::Every { interruptions: 0 }), [[0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0]]);
    }

    #[test]
    fn a_sample_can_be_drawn_again() {
        let sample = Extent::Sample { schedules: 5, seed: 7 };
        assert_eq!(schedules(sample), schedules(sample));
    }
}
