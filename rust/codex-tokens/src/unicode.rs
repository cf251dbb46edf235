//! What kind of character every scalar is, as `tokenizers` sees it.
//!
//! Written by `make_unicode.py` from the answers of tokenizers 0.23.3; not edited by hand.

/// The kinds, each with a letter for [`RUNS`]: its general category (Unicode 16.0) and what else holds for it:
/// `space` for `\s` and `word` for `\w` in a pattern; for the pre-tokenizers, whose tables are older and newer,
/// `punctuation`, `digit`, and `term` for what `Whitespace` calls `\w`.
pub(crate) const KINDS: &[(char, &str, &[&str])] = &[
    ('a', "Cc", &[]),                              // 59
    ('b', "Cc", &["space"]),                       // 6
    ('c', "Cf", &[]),                              // 168
    ('d', "Cf", &["term"]),                        // 2
    ('e', "Cn", &[]),                              // 819520
    ('f', "Cn", &["digit"]),                       // 13
    ('g', "Co", &[]),                              // 137468
    ('h', "Ll", &["word", "term"]),                // 2258
    ('i', "Lm", &["word", "term"]),                // 404
    ('j', "Lo", &["word", "term"]),                // 136477
    ('k', "Lt", &["word", "term"]),                // 31
    ('l', "Lu", &["word", "term"]),                // 1858
    ('m', "Mc", &["word", "term"]),                // 468
    ('n', "Me", &["word", "term"]),                // 13
    ('o', "Mn", &["word", "punctuation", "term"]), // 1
    ('p', "Mn", &["word", "term"]),                // 2019
    ('q', "Nd", &["word", "digit", "term"]),       // 760
    ('r', "Nl", &["word", "digit", "term"]),       // 236
    ('s', "No", &["digit"]),                       // 909
    ('t', "No", &["word", "digit"]),               // 6
    ('u', "Pc", &["word", "punctuation", "term"]), // 10
    ('v', "Pd", &[]),                              // 3
    ('w', "Pd", &["punctuation"]),                 // 24
    ('x', "Pe", &[]),                              // 4
    ('y', "Pe", &["punctuation"]),                 // 73
    ('z', "Pf", &["punctuation"]),                 // 10
    ('A', "Pi", &["punctuation"]),                 // 12
    ('B', "Po", &[]),                              // 129
    ('C', "Po", &["punctuation"]),                 // 511
    ('D', "Ps", &[]),                              // 4
    ('E', "Ps", &["punctuation"]),                 // 75
    ('F', "Sc", &[]),                              // 62
    ('G', "Sc", &["punctuation"]),                 // 1
    ('H', "Sk", &[]),                              // 123
    ('I', "Sk", &["punctuation"]),                 // 2
    ('J', "Sm", &[]),                              // 944
    ('K', "Sm", &["punctuation"]),                 // 6
    ('L', "So", &[]),                              // 7245
    ('M', "So", &["punctuation"]),                 // 1
    ('N', "So", &["word", "term"]),                // 130
    ('O', "Zl", &["space"]),                       // 1
    ('P', "Zp", &["space"]),                       // 1
    ('Q', "Zs", &["space"]),                       // 17
];

/// The kind of every scalar in order (surrogates are none), and how many have it one after the other, if not one.
#[rustfmt::skip]
pub(crate) const RUNS: &str = "\
    a9b5a18QC3GC3EyCKCwC2q10C2K3C2l26ECyIuIh26EKyKa6ba26QCF4LCHLjAJcLHLJt2HhC2Htjzt3Cl23Jl7h24Jh8lhlhlhlhlhlhlhlhl\
    hlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlh2lhlhlhlhlhlhlhlh2lhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhl2hlhlh\
    3l2hlhl2hl3h2l4hl2hl3h3l2hl2hlhlhl2hlh2lhl2hl3hlhl2h2jlh3j4lkhlkhlkhlhlhlhlhlhlhlhlh2lhlhlhlhlhlhlhlhlh2lkhlhl\
    3hlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlh7l2hl2h2lhl4hlhlhlhlh69jh27i18H4i12H14i5H7iHiH17p1\
    12lhlhiHlhe2ih3Cle4H2lCl3elel2hl17el9h35lh2l3h3lhlhlhlhlhlhlhlhlhlhlhlh5lhJlhl2h2l51h48lhlhlhlhlhlhlhlhlhlhlhl\
    hlhlhlhlhlhLp5n2lhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhl2hlhlhlhlhlhlh2lhlhlhlhlhlhlhlhlhlhlhlh\
    lhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhel38e2iC6h41Cwe2L2Fep45wpCp2Cp2Cpe8j27\
    e4j4C2e11c6J3C2FC2L2p11CcBC2j32ij10p21q10C4j2pj99Cjp7cLp6i2p2Lp4j2q10j3L2jC14ecjpj30p27e2j89p11je14q10j33p9i2L\
    C3ie2pF2j22p4ip9ip3ip5e2C15ej25p3e2Cej11e5j24Hj6ec2e5p9j41ip24cp32mj54pmpjm3p8m4pm2jp7j10p2C2q10Cij15pm2ej8e2j\
    2e2j22ej7eje3j4e2pjm3p4e2m2e2m2pje8me4j2ej3p2e2q10j2F2s6LFjBpe2p2mej6e4j2e2j22ej7ej2ej2ej2e2pem3p2e4p2e2p3e3pe\
    7j4eje7q10p2j3pBe10p2mej9ej3ej22ej7ej2ej5e2pjm3p5ep2mem2pe2je15j2p2e2q10CFe7jp6epm2ej8e2j2e2j22ej7ej2ej5e2pjmp\
    mp4e2m2e2m2pe7p2me4j2ej3p2e2q10Ljs6e10pjej6e3j3ej4e3j2ejej2e3j2e3j3e3j12e4m2pm2e3m3em3pe2je6me14q10s3L6FLe5pm3\
    pj8ej3ej23ej16e2pjp3m4ep3ep4e7p2ej3e2je2j2p2e2q10e7Bs7Ljpm2Bj8ej3ej23ej10ej5e2pjmpm5epm2em2p2e7m2e6j2ej2p2e2q1\
    0ej2me12p2m2j9ej3ej41p2jm3p4em3em3pjLe4j3ms7j3p2e2q10s9Lj6epm2ej18e3j24ej9eje2j7e3pe4m3p3epem8e6q10e2m2Ce12j48\
    pj2p7e4Fj6ip8Cq10C2e37j2ejej5ej24ejej10pj2p9je2j5eiep7eq10e2j4e32jL3C15LCL3p2L6q10s10LpLpLpEyEym2j8ej36e4p14mp\
    5Cp2j5p11ep36eL8pL6eL2C5L4C2e37j43m2p4mp6mp2m2p2jq10C6j6m2p2j4p3jm3j2m7j3p4j13pm2p2m6pjmq10m3pL2l38ele5le2h43C\
    ih3j329ej4e2j7ejej4e2j41ej4e2j33ej4e2j7ejej4e2j15ej57ej4e2j67e2p3C9s20e3j16L10e6l86e2h6e2wj620MCj17Qj26Eye3j75\
    C3r3j8e7j18p3me9j19p2mC2e9j18p2e12j13ej3ep2e12j52p2mp7m8pm2p11C3iC3Fjpe2q10e6s10e6C6wC4p3cpq10e6j35ij53e7j5p2j\
    34pje5j70e10j31ep3m4p2m3e4m2pm6p3e4Le3C2q10j30e2j5e11j44e4j26e6q10se3L34j23p2m2pe2C2j53mpmp7epmpm2p8m6p10e2pq1\
    0e6q10e6C7iC6e2p14np16e49p4mj47pmp5mpm5pm2j8eB2q10C7L10p9L9B3p2mj30mp4m2p2mp3j2q10j44pmp2m3pmp3m2e8C4j36m8p8m2\
    p2e3C5q10e3j3q10j30i6C2h9lhe5l43e2l3C8e8p3Cp13mp7j4pj6pj2mp2je5h44i63h13ih34i37p64lhlhlhlhlhlhlhlhlhlhlhlhlhlh\
    lhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlh\
    lhlhlhlhlhlh9lhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhl\
    h9l8h6e2l6e2h8l8h8l8h6e2l6e2h8elelelelh8l8h14e2h8k8h8k8h8k8h5eh2l4kHhH3h3eh2l4kH3h4e2h2l4eH3h8l5H3e2h3eh2l4kH2\
    eQ11cd2c2w6C2AzEA2zEAC8OPc5QC9AzC4u2C3JEyC11JCuC10Qc5ec10sie2s6J3Eyis10J3Eyei13e3F33e15p13n4pn3p12e15L2lL4lL2h\
    l3h2l3hLlL2Jl5L6lLlLlLl4Lhl4hj4hL2h2l2J5lh4LJL2hLs16r35lhr4sL2e4J5L5J2L4JL2JL2JL7JL31J2L2JLJL31J268L8EyEyL20J2\
    L7EyL81JL30J25L40J6L72e22L11e21s60L26N52s22L183JL9JL54J8L111JL248EyEyEyEyEyEyEys30L44J5EyJ31EyEyEyEyEyJ16L256J\
    131EyEyEyEyEyEyEyEyEyEyEyJ63EyEyJ32EyJ258L48J21L2J6L39e2L32eL105l48h48lhl3h2lhlhlhl4hlh2lh6i2l3hlhlhlhlhlhlhlh\
    lhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlh2L6lhlhp3lhe5C4sC2h38ehe5h\
    e2j56e7iCe14pj23e9j7ej7ej7ej7ej7ej7ej7ej7ep32C2AzAzC3AzCAzC9wC2wCAzC2AzEyEyEyEyC5iC10w2C4wCEB13L2B3DxDxDxDxve3\
    4L26eL89e12L214e26L16QC3LijrEyEyEyEyEyL2EyEyEyEywEy2Lr9p4m2wi5L2r3ijCL2ej86e2p2H2i2jwj90Ci3je5j43ej94eL2s4L10j\
    32L38e9Lj16L31es10L30s8Ls15L32s10L39s15L320j6592L64j21013ij1143e3L55e9j40i6C2j268iC3j16q10j2e20lhlhlhlhlhlhlhl\
    hlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhjpn3Cp10Cilhlhlhlhlhlhlhlhlhlhlhlhlhlhi2p2j70r10p2C6e8H23i9H2lhlhlhlhlhlhlh3lhl\
    hlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhlhih8lhlhl2hlhlhlhlhiH2lhlhjlhlh3lhlhlhlhlhlhlhlhlhlh\
    l5hl5hlhlhlhlhlhlhlhl4hlhl2he2lhehehlhlhlhle21i3lhji2hj7pj3pj4pj23m2p2mL4pe3s6L2FLe6j52C4e8m2j50m16p2e8C2q10e6\
    p18j6C3jCj2pq10j28p8C2j23p11m2e11Cj29e3p3mj47pm2p4m2p2m3C13eiq10e4C2j5pij9q10j5ej41p6m2p2m2p2e9j3pj8pme2q10e2C\
    4j16ij6L3jmpmj50pjp3j2p2j5p2jpje24j2iC2j11mp2m2C2ji2mpe10j6e2j6e2j6e9j7ej7eh43Hi4h9iH2e4h80j35m2pm2pm2Cmpe2q10\
    e6j11172e12j23e4j49e4g6400j366e2j106e38h7e12h5e5jpj10Jj13ej5ejej2ej2ej108H17e16j363yEL16j64e2j54e7Le32j12FL3p1\
    6C7EyCe6p16Cw2u2EyEyEyEyEyEyEyEyC2EyC4u3C3eC4wEyEyEyC3JwJ3eCFC2e4j5ej135e2ceC3FC3EyCJCwC2q10C2J3C2l26ECyHuHh26\
    EJyJEyCEyC2j10ij45i2j31e3j6e2j6e2j6e2j3e3F2JHLF2eLJ4L2e10c3L2e2j12ej26ej19ej2ej15e2j14e34j123e5C3e4s45e3L9r53s\
    4L17s2L3eL13e3Le47L45pe130j29e3j49e15ps27e4j32s4e9j20rj8re5j38p5e5j30eCj36e4j8Cr5e42l40h40j78e2q10e6l36e4h36e4\
    j40e8j52e11Cl11el15el7el2eh11eh15eh7eh2e3j52e12j311e9j22e10j8e24i6ei42ei9e69j6e2jej44ej2e3je2j23eCs8j23L2s7j31\
    e8s9e48j19ej2e5s5j22s6e3Cj26e5Ce64j56e4s2j2s16e2s46jp3ep2e5p4j4ej3ej29e2p3e4ps9e7C9e7j29s2Cj29s3e32j8Lj28p2e4s\
    5C7e9j54e3C7j22e2s8j19e5s8j18e7C4e12s7e80j73e55l51e13h51e7s6j36p4e8q10e6q10j4ijl22e3p5vih22e8J2e208s31ej42ep2v\
    e2j2e16j3e55p4j29s10je8j22p11s4B5e22j18p4B4e38j21s7e20j23e9mpmj53p15C7e4s20q10pj2p2je9p3mj45m3p4m2p2C2cC4pe10c\
    e2j25e7q10e6p3j36p5mp8eq10C4jm2je8j35pC2je9p2mj48m3p9m2j4C4op3Cmpq10jCjC3es20e11j18ej25m3p3m2pmp2C6pj2pe62j7ej\
    ej4ej15ej10Ce6j47pm3p8e5q10e6p2m2ej8e2j2e2j22ej7ej2ej5ep2jm2pm4e2m2e2m3e2je6me5j5m2e2p7e3p5e11j10eje2jej38ejm3\
    p6eme2mem4em2pmpjpjB2eB2e8p2e29j53m3p8m2p3mpj4B5q10B2eBpj3e30j48m3p6mpm4p2mp2j2Cje8q10e166j47m3p4e2m4p2mp2C23j\
    4p2e34j48m3p8m2pmp2C3je11q10e6B13e19j43pmpm2p6mpjBe6q10e6q20e28j27e2pmpm2p4mp5e4q10s2C3Lj7e185j44m3p9mp2Be100l\
    32h32q10s9e12j8e2je2j8ej2ej24m6em2e2p2mpjmjmpB3e9q10e70j8e2j39m3p4e2p2m4pjBjme27jp10j40p6mjp4B8pe8jp6m2p3j46p1\
    3mp2B3jB5e13j73e7B10e182j33Be14q10e6j9ej37mp7ep6mpjB5e10q10s19e3B2j30e2p22emp7mp2mp2e73j7ej2ej38p6e3pep2ep7jpe\
    8q10e6j6ej2ej32m5ep2em2pmpje7q10e54f10e246j19p2m2B2e7p2jmj13ej34m2p5e3m2pmpB13q10pe85je15s21L8F4L17e13Bj922e10\
    2r111eC5e11j196e2636j97B2e13j1072c16pj6p15e10j3995e5j583e6841j30p12m3p3q10e1734j569e7j31eq10e4C2j79eq10e6j30e2\
    p5Ce10j48p7C5L4i4CLe10q10es7ej21e5j19e432i3j40i2B3q10e198l32h32s23B4e101j75e4pjm55e7p4i13e64i2Bipe11m2e2f3e9j6\
    136e8j1238e41j10e8935i4ei7ei2ej291e15je29j3e2je14j4e8j396e2308j107e5j13e3j9e7j10e2Lp2Cc4e3932L240q10e6L436e76p\
    46e2p23e9L116e60L246e10L39e2L60m2p3L3m6c8p8L2p7L30p4L61e21L66p3Le122s20e12s20e12L87e9s25e135l26h26l26h7eh18l26\
    h26lel2e2le2l2e2l4el8h4eheh7eh11l26h26l2el4e2l8el7eh26l2el4el5ele3l7eh26l26h26l26h26l26h26l26h26l26h26l26h28e2\
    l25Jh25Jh6l25Jh25Jh6l25Jh25Jh6l25Jh25Jh6l25Jh25Jh6lhe2q50L512p55L4p50L8pL14pL2C5e15p5ep15e1104h10jh20e6h6e213p\
    7ep17e2p7ep2ep5e5i62e33pe112j45e3p7i7e2q10e4jLe320j30pe17j44p4q10e5Fe464j27ip4q10e214j30p2jq10e4Be480j7ej4ej2e\
    j15ej197e2s9p7e41l34h34p7ie4q10e4B2e785s59Ls3Fs4e76s45Ls15e194j4ej27ej2eje2jej10ej4ejeje6je4jejejej3ej2eje2jej\
    ejejejej2eje2j4ej7ej4ej4ejej10ej17e5j3ej5ej17e52J2e270L44e4L100e12L15e2L15eL15eL37e10s13L35N26L6N26L6N26L36e56\
    L29e13L44e4L9e7L2e14L6e154L251H5L728e4L17e3L13e3L119e4L95e6L12e4Le15L12e4L56e8L10e6L40e8L30e2L12e4L2e62L340e12\
    L14e2L13e3L10e5L56e7L15e2L11e6L9e7L147eL92q10e1030j42720e32j4154e6j222e2j5762e14j7473e15j622e2466j542e1506j493\
    9e5j4192e711761ce30c96e128p240e65040g65534e2g65534e2\
";

/// Scripts, as inclusive ranges of scalars.
#[rustfmt::skip]
pub(crate) const SCRIPTS: &[(&str, &[(u32, u32)])] = &[
    ("Arabic", &[
        (0x00600, 0x00604), (0x00606, 0x0060b), (0x0060d, 0x0061a), (0x0061c, 0x0061e), (0x00620, 0x0063f),
        (0x00641, 0x0064a), (0x00656, 0x0066f), (0x00671, 0x006dc), (0x006de, 0x006ff), (0x00750, 0x0077f),
        (0x00870, 0x0088e), (0x00890, 0x00891), (0x00897, 0x008e1), (0x008e3, 0x008ff), (0x0fb50, 0x0fbc2),
        (0x0fbd3, 0x0fd3d), (0x0fd40, 0x0fd8f), (0x0fd92, 0x0fdc7), (0x0fdcf, 0x0fdcf), (0x0fdf0, 0x0fdff),
        (0x0fe70, 0x0fe74), (0x0fe76, 0x0fefc), (0x10e60, 0x10e7e), (0x10ec2, 0x10ec4), (0x10efc, 0x10eff),
        (0x1ee00, 0x1ee03), (0x1ee05, 0x1ee1f), (0x1ee21, 0x1ee22), (0x1ee24, 0x1ee24), (0x1ee27, 0x1ee27),
        (0x1ee29, 0x1ee32), (0x1ee34, 0x1ee37), (0x1ee39, 0x1ee39), (0x1ee3b, 0x1ee3b), (0x1ee42, 0x1ee42),
        (0x1ee47, 0x1ee47), (0x1ee49, 0x1ee49), (0x1ee4b, 0x1ee4b), (0x1ee4d, 0x1ee4f), (0x1ee51, 0x1ee52),
        (0x1ee54, 0x1ee54), (0x1ee57, 0x1ee57), (0x1ee59, 0x1ee59), (0x1ee5b, 0x1ee5b), (0x1ee5d, 0x1ee5d),
        (0x1ee5f, 0x1ee5f), (0x1ee61, 0x1ee62), (0x1ee64, 0x1ee64), (0x1ee67, 0x1ee6a), (0x1ee6c, 0x1ee72),
        (0x1ee74, 0x1ee77), (0x1ee79, 0x1ee7c), (0x1ee7e, 0x1ee7e), (0x1ee80, 0x1ee89), (0x1ee8b, 0x1ee9b),
        (0x1eea1, 0x1eea3), (0x1eea5, 0x1eea9), (0x1eeab, 0x1eebb), (0x1eef0, 0x1eef1),
    ]),
    ("Armenian", &[
        (0x00531, 0x00556), (0x00559, 0x0058a), (0x0058d, 0x0058f), (0x0fb13, 0x0fb17),
    ]),
    ("Bengali", &[
        (0x00980, 0x00983), (0x00985, 0x0098c), (0x0098f, 0x00990), (0x00993, 0x009a8), (0x009aa, 0x009b0),
        (0x009b2, 0x009b2), (0x009b6, 0x009b9), (0x009bc, 0x009c4), (0x009c7, 0x009c8), (0x009cb, 0x009ce),
        (0x009d7, 0x009d7), (0x009dc, 0x009dd), (0x009df, 0x009e3), (0x009e6, 0x009fe),
    ]),
    ("Bopomofo", &[
        (0x002ea, 0x002eb), (0x03105, 0x0312f), (0x031a0, 0x031bf),
    ]),
    ("Cyrillic", &[
        (0x00400, 0x00484), (0x00487, 0x0052f), (0x01c80, 0x01c8a), (0x01d2b, 0x01d2b), (0x01d78, 0x01d78),
        (0x02de0, 0x02dff), (0x0a640, 0x0a69f), (0x0fe2e, 0x0fe2f), (0x1e030, 0x1e06d), (0x1e08f, 0x1e08f),
    ]),
    ("Devanagari", &[
        (0x00900, 0x00950), (0x00955, 0x00963), (0x00966, 0x0097f), (0x0a8e0, 0x0a8ff), (0x11b00, 0x11b09),
    ]),
    ("Ethiopic", &[
        (0x01200, 0x01248), (0x0124a, 0x0124d), (0x01250, 0x01256), (0x01258, 0x01258), (0x0125a, 0x0125d),
        (0x01260, 0x01288), (0x0128a, 0x0128d), (0x01290, 0x012b0), (0x012b2, 0x012b5), (0x012b8, 0x012be),
        (0x012c0, 0x012c0), (0x012c2, 0x012c5), (0x012c8, 0x012d6), (0x012d8, 0x01310), (0x01312, 0x01315),
        (0x01318, 0x0135a), (0x0135d, 0x0137c), (0x01380, 0x01399), (0x02d80, 0x02d96), (0x02da0, 0x02da6),
        (0x02da8, 0x02dae), (0x02db0, 0x02db6), (0x02db8, 0x02dbe), (0x02dc0, 0x02dc6), (0x02dc8, 0x02dce),
        (0x02dd0, 0x02dd6), (0x02dd8, 0x02dde), (0x0ab01, 0x0ab06), (0x0ab09, 0x0ab0e), (0x0ab11, 0x0ab16),
        (0x0ab20, 0x0ab26), (0x0ab28, 0x0ab2e), (0x1e7e0, 0x1e7e6), (0x1e7e8, 0x1e7eb), (0x1e7ed, 0x1e7ee),
        (0x1e7f0, 0x1e7fe),
    ]),
    ("Georgian", &[
        (0x010a0, 0x010c5), (0x010c7, 0x010c7), (0x010cd, 0x010cd), (0x010d0, 0x010fa), (0x010fc, 0x010ff),
        (0x01c90, 0x01cba), (0x01cbd, 0x01cbf), (0x02d00, 0x02d25), (0x02d27, 0x02d27), (0x02d2d, 0x02d2d),
    ]),
    ("Greek", &[
        (0x00370, 0x00373), (0x00375, 0x00377), (0x0037a, 0x0037d), (0x0037f, 0x0037f), (0x00384, 0x00384),
        (0x00386, 0x00386), (0x00388, 0x0038a), (0x0038c, 0x0038c), (0x0038e, 0x003a1), (0x003a3, 0x003e1),
        (0x003f0, 0x003ff), (0x01d26, 0x01d2a), (0x01d5d, 0x01d61), (0x01d66, 0x01d6a), (0x01dbf, 0x01dbf),
        (0x01f00, 0x01f15), (0x01f18, 0x01f1d), (0x01f20, 0x01f45), (0x01f48, 0x01f4d), (0x01f50, 0x01f57),
        (0x01f59, 0x01f59), (0x01f5b, 0x01f5b), (0x01f5d, 0x01f5d), (0x01f5f, 0x01f7d), (0x01f80, 0x01fb4),
        (0x01fb6, 0x01fc4), (0x01fc6, 0x01fd3), (0x01fd6, 0x01fdb), (0x01fdd, 0x01fef), (0x01ff2, 0x01ff4),
        (0x01ff6, 0x01ffe), (0x02126, 0x02126), (0x0ab65, 0x0ab65), (0x10140, 0x1018e), (0x101a0, 0x101a0),
        (0x1d200, 0x1d245),
    ]),
    ("Gujarati", &[
        (0x00a81, 0x00a83), (0x00a85, 0x00a8d), (0x00a8f, 0x00a91), (0x00a93, 0x00aa8), (0x00aaa, 0x00ab0),
        (0x00ab2, 0x00ab3), (0x00ab5, 0x00ab9), (0x00abc, 0x00ac5), (0x00ac7, 0x00ac9), (0x00acb, 0x00acd),
        (0x00ad0, 0x00ad0), (0x00ae0, 0x00ae3), (0x00ae6, 0x00af1), (0x00af9, 0x00aff),
    ]),
    ("Gurmukhi", &[
        (0x00a01, 0x00a03), (0x00a05, 0x00a0a), (0x00a0f, 0x00a10), (0x00a13, 0x00a28), (0x00a2a, 0x00a30),
        (0x00a32, 0x00a33), (0x00a35, 0x00a36), (0x00a38, 0x00a39), (0x00a3c, 0x00a3c), (0x00a3e, 0x00a42),
        (0x00a47, 0x00a48), (0x00a4b, 0x00a4d), (0x00a51, 0x00a51), (0x00a59, 0x00a5c), (0x00a5e, 0x00a5e),
        (0x00a66, 0x00a76),
    ]),
    ("Han", &[
        (0x02e80, 0x02e99), (0x02e9b, 0x02ef3), (0x02f00, 0x02fd5), (0x03005, 0x03005), (0x03007, 0x03007),
        (0x03021, 0x03029), (0x03038, 0x0303b), (0x03400, 0x04dbf), (0x04e00, 0x09fff), (0x0f900, 0x0fa6d),
        (0x0fa70, 0x0fad9), (0x16fe2, 0x16fe3), (0x16ff0, 0x16ff1), (0x20000, 0x2a6df), (0x2a700, 0x2b739),
        (0x2b740, 0x2b81d), (0x2b820, 0x2cea1), (0x2ceb0, 0x2ebe0), (0x2ebf0, 0x2ee5d), (0x2f800, 0x2fa1d),
        (0x30000, 0x3134a), (0x31350, 0x323af),
    ]),
    ("Hangul", &[
        (0x01100, 0x011ff), (0x0302e, 0x0302f), (0x03131, 0x0318e), (0x03200, 0x0321e), (0x03260, 0x0327e),
        (0x0a960, 0x0a97c), (0x0ac00, 0x0d7a3), (0x0d7b0, 0x0d7c6), (0x0d7cb, 0x0d7fb), (0x0ffa0, 0x0ffbe),
        (0x0ffc2, 0x0ffc7), (0x0ffca, 0x0ffcf), (0x0ffd2, 0x0ffd7), (0x0ffda, 0x0ffdc),
    ]),
    ("Hebrew", &[
        (0x00591, 0x005c7), (0x005d0, 0x005ea), (0x005ef, 0x005f4), (0x0fb1d, 0x0fb36), (0x0fb38, 0x0fb3c),
        (0x0fb3e, 0x0fb3e), (0x0fb40, 0x0fb41), (0x0fb43, 0x0fb44), (0x0fb46, 0x0fb4f),
    ]),
    ("Hiragana", &[
        (0x03041, 0x03096), (0x0309d, 0x0309f), (0x1b001, 0x1b11f), (0x1b132, 0x1b132), (0x1b150, 0x1b152),
        (0x1f200, 0x1f200),
    ]),
    ("Kannada", &[
        (0x00c80, 0x00c8c), (0x00c8e, 0x00c90), (0x00c92, 0x00ca8), (0x00caa, 0x00cb3), (0x00cb5, 0x00cb9),
        (0x00cbc, 0x00cc4), (0x00cc6, 0x00cc8), (0x00cca, 0x00ccd), (0x00cd5, 0x00cd6), (0x00cdd, 0x00cde),
        (0x00ce0, 0x00ce3), (0x00ce6, 0x00cef), (0x00cf1, 0x00cf3),
    ]),
    ("Katakana", &[
        (0x030a1, 0x030fa), (0x030fd, 0x030ff), (0x031f0, 0x031ff), (0x032d0, 0x032fe), (0x03300, 0x03357),
        (0x0ff66, 0x0ff6f), (0x0ff71, 0x0ff9d), (0x1aff0, 0x1aff3), (0x1aff5, 0x1affb), (0x1affd, 0x1affe),
        (0x1b000, 0x1b000), (0x1b120, 0x1b122), (0x1b155, 0x1b155), (0x1b164, 0x1b167),
    ]),
    ("Khmer", &[
        (0x01780, 0x017dd), (0x017e0, 0x017e9), (0x017f0, 0x017f9), (0x019e0, 0x019ff),
    ]),
    ("Lao", &[
        (0x00e81, 0x00e82), (0x00e84, 0x00e84), (0x00e86, 0x00e8a), (0x00e8c, 0x00ea3), (0x00ea5, 0x00ea5),
        (0x00ea7, 0x00ebd), (0x00ec0, 0x00ec4), (0x00ec6, 0x00ec6), (0x00ec8, 0x00ece), (0x00ed0, 0x00ed9),
        (0x00edc, 0x00edf),
    ]),
    ("Latin", &[
        (0x00041, 0x0005a), (0x00061, 0x0007a), (0x000aa, 0x000aa), (0x000ba, 0x000ba), (0x000c0, 0x000d6),
        (0x000d8, 0x000f6), (0x000f8, 0x002b8), (0x002e0, 0x002e4), (0x01d00, 0x01d25), (0x01d2c, 0x01d5c),
        (0x01d62, 0x01d65), (0x01d6b, 0x01d77), (0x01d79, 0x01dbe), (0x01e00, 0x01eff), (0x02071, 0x02071),
        (0x0207f, 0x0207f), (0x02090, 0x0209c), (0x0212a, 0x0212b), (0x02132, 0x02132), (0x0214e, 0x0214e),
        (0x02160, 0x02188), (0x02c60, 0x02c7f), (0x0a722, 0x0a787), (0x0a78b, 0x0a7cd), (0x0a7d0, 0x0a7d1),
        (0x0a7d3, 0x0a7d3), (0x0a7d5, 0x0a7dc), (0x0a7f2, 0x0a7ff), (0x0ab30, 0x0ab5a), (0x0ab5c, 0x0ab64),
        (0x0ab66, 0x0ab69), (0x0fb00, 0x0fb06), (0x0ff21, 0x0ff3a), (0x0ff41, 0x0ff5a), (0x10780, 0x10785),
        (0x10787, 0x107b0), (0x107b2, 0x107ba), (0x1df00, 0x1df1e), (0x1df25, 0x1df2a),
    ]),
    ("Malayalam", &[
        (0x00d00, 0x00d0c), (0x00d0e, 0x00d10), (0x00d12, 0x00d44), (0x00d46, 0x00d48), (0x00d4a, 0x00d4f),
        (0x00d54, 0x00d63), (0x00d66, 0x00d7f),
    ]),
    ("Mongolian", &[
        (0x01800, 0x01801), (0x01804, 0x01804), (0x01806, 0x01819), (0x01820, 0x01878), (0x01880, 0x018aa),
        (0x11660, 0x1166c),
    ]),
    ("Myanmar", &[
        (0x01000, 0x0109f), (0x0a9e0, 0x0a9fe), (0x0aa60, 0x0aa7f), (0x116d0, 0x116e3),
    ]),
    ("Sinhala", &[
        (0x00d81, 0x00d83), (0x00d85, 0x00d96), (0x00d9a, 0x00db1), (0x00db3, 0x00dbb), (0x00dbd, 0x00dbd),
        (0x00dc0, 0x00dc6), (0x00dca, 0x00dca), (0x00dcf, 0x00dd4), (0x00dd6, 0x00dd6), (0x00dd8, 0x00ddf),
        (0x00de6, 0x00def), (0x00df2, 0x00df4), (0x111e1, 0x111f4),
    ]),
    ("Tamil", &[
        (0x00b82, 0x00b83), (0x00b85, 0x00b8a), (0x00b8e, 0x00b90), (0x00b92, 0x00b95), (0x00b99, 0x00b9a),
        (0x00b9c, 0x00b9c), (0x00b9e, 0x00b9f), (0x00ba3, 0x00ba4), (0x00ba8, 0x00baa), (0x00bae, 0x00bb9),
        (0x00bbe, 0x00bc2), (0x00bc6, 0x00bc8), (0x00bca, 0x00bcd), (0x00bd0, 0x00bd0), (0x00bd7, 0x00bd7),
        (0x00be6, 0x00bfa), (0x11fc0, 0x11ff1), (0x11fff, 0x11fff),
    ]),
    ("Telugu", &[
        (0x00c00, 0x00c0c), (0x00c0e, 0x00c10), (0x00c12, 0x00c28), (0x00c2a, 0x00c39), (0x00c3c, 0x00c44),
        (0x00c46, 0x00c48), (0x00c4a, 0x00c4d), (0x00c55, 0x00c56), (0x00c58, 0x00c5a), (0x00c5d, 0x00c5d),
        (0x00c60, 0x00c63), (0x00c66, 0x00c6f), (0x00c77, 0x00c7f),
    ]),
    ("Thai", &[
        (0x00e01, 0x00e3a), (0x00e40, 0x00e5b),
    ]),
    ("Tibetan", &[
        (0x00f00, 0x00f47), (0x00f49, 0x00f6c), (0x00f71, 0x00f97), (0x00f99, 0x00fbc), (0x00fbe, 0x00fcc),
        (0x00fce, 0x00fd4), (0x00fd9, 0x00fda),
    ]),
];
