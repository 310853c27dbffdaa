//! The 58 counties of California, each with one superior court.

/// A county.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct County {
    /// `los-angeles`: the name in file names, identities and addresses of pages.
    pub slug: &'static str,
    /// `Los Angeles`.
    pub name: &'static str,
    /// County code within state 06, 1 to 115 (FIPS 6-4 / INCITS 31).
    pub fips: u16,
}

impl County {
    /// The county with that slug.
    #[must_use]
    pub fn by_slug(slug: &str) -> Option<&'static Self> {
        COUNTIES.iter().find(|county| county.slug == slug)
    }

    /// `06037`: state and county.
    #[must_use]
    pub fn fips_code(&self) -> String {
        format!("06{:03}", self.fips)
    }
}

macro_rules! counties {
    ($($fips:literal $slug:literal $name:literal),+ $(,)?) => {
        &[$( County { slug: $slug, name: $name, fips: $fips } ),+]
    };
}

/// All counties, by name.
pub const COUNTIES: &[County] = counties![
    1 "alameda" "Alameda",
    3 "alpine" "Alpine",
    5 "amador" "Amador",
    7 "butte" "Butte",
    9 "calaveras" "Calaveras",
    11 "colusa" "Colusa",
    13 "contra-costa" "Contra Costa",
    15 "del-norte" "Del Norte",
    17 "el-dorado" "El Dorado",
    19 "fresno" "Fresno",
    21 "glenn" "Glenn",
    23 "humboldt" "Humboldt",
    25 "imperial" "Imperial",
    27 "inyo" "Inyo",
    29 "kern" "Kern",
    31 "kings" "Kings",
    33 "lake" "Lake",
    35 "lassen" "Lassen",
    37 "los-angeles" "Los Angeles",
    39 "madera" "Madera",
    41 "marin" "Marin",
    43 "mariposa" "Mariposa",
    45 "mendocino" "Mendocino",
    47 "merced" "Merced",
    49 "modoc" "Modoc",
    51 "mono" "Mono",
    53 "monterey" "Monterey",
    55 "napa" "Napa",
    57 "nevada" "Nevada",
    59 "orange" "Orange",
    61 "placer" "Placer",
    63 "plumas" "Plumas",
    65 "riverside" "Riverside",
    67 "sacramento" "Sacramento",
    69 "san-benito" "San Benito",
    71 "san-bernardino" "San Bernardino",
    73 "san-diego" "San Diego",
    75 "san-francisco" "San Francisco",
    77 "san-joaquin" "San Joaquin",
    79 "san-luis-obispo" "San Luis Obispo",
    81 "san-mateo" "San Mateo",
    83 "santa-barbara" "Santa Barbara",
    85 "santa-clara" "Santa Clara",
    87 "santa-cruz" "Santa Cruz",
    89 "shasta" "Shasta",
    91 "sierra" "Sierra",
    93 "siskiyou" "Siskiyou",
    95 "solano" "Solano",
    97 "sonoma" "Sonoma",
    99 "stanislaus" "Stanislaus",
    101 "sutter" "Sutter",
    103 "tehama" "Tehama",
    105 "trinity" "Trinity",
    107 "tulare" "Tulare",
    109 "tuolumne" "Tuolumne",
    111 "ventura" "Ventura",
    113 "yolo" "Yolo",
    115 "yuba" "Yuba",
];
