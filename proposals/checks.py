"""What a machine can say of a revision before a person reads it. Pure functions; every pattern runs in re2.

    run(before, after, context) -> list[CheckResult]
    CheckResult(name, verdict, message)      name: stable, at most 40 characters, once per revision;
                                             verdict: "pass", "warn", "fail" or "skipped"
    Context(kind, author, protected, tools, reports, sources, loudest_share, min_sources, max_share)
    Report(source, text)                     one report of the evidence; `source` any hashable that tells sources apart
"""
