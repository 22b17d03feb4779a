using System.Collections.Immutable;

namespace Mesh.Core.Scheduling.Rules;

/// <summary>What there is to know of a rule without running it: its names, its parameters, its formula. Each rule defines itself in its own file.</summary>
public sealed class RuleDefinition
{
    private readonly Func<RuleArguments, object> _make;

    private RuleDefinition(RuleKind kind, string name, string formula, Func<RuleArguments, object> make, RuleParameter[] parameters)
    {
        Kind = kind;
        Name = name;
        Formula = formula;
        _make = make;
        Parameters = [.. parameters];
    }

    /// <summary>Filter, scorer or picker.</summary>
    public RuleKind Kind { get; }

    /// <summary>Name in declarations and explanations: lower case, words joined by hyphens.</summary>
    public string Name { get; }

    /// <summary>What it does, as a formula.</summary>
    public string Formula { get; }

    /// <summary>Its parameters; never default.</summary>
    public ImmutableArray<RuleParameter> Parameters { get; }

    /// <summary>Names by which other projects know such a rule; they may be written instead of <see cref="Name"/>.</summary>
    public ImmutableArray<string> Aliases { get; private init; } = [];

    /// <summary>True for a filter that every profile has: naming it changes nothing.</summary>
    public bool AlwaysOn { get; private init; }

    /// <summary>True for a picker that looks at the scores.</summary>
    public bool UsesScores { get; private init; }

    /// <summary>True for the picker that predicts costs and can bind late.</summary>
    public bool PredictsCosts { get; private init; }

    /// <summary>A parameter by its name; null when there is none of that name.</summary>
    public RuleParameter? Parameter(string name) => Parameters.FirstOrDefault(p => p.Name == name);

    internal static RuleDefinition Filter(
        string name, string formula, Func<RuleArguments, IEndpointFilter> make, string[]? aliases = null, params RuleParameter[] parameters) =>
        new(RuleKind.Filter, name, formula, make, parameters) { Aliases = [.. aliases ?? []] };

    internal static RuleDefinition Guard(string name, string formula, Func<IEndpointFilter> make) =>
        new(RuleKind.Filter, name, formula, _ => make(), []) { AlwaysOn = true };

    internal static RuleDefinition Scorer(
        string name, string formula, Func<RuleArguments, IEndpointScorer> make, string[]? aliases = null, params RuleParameter[] parameters) =>
        new(RuleKind.Scorer, name, formula, make, parameters) { Aliases = [.. aliases ?? []] };

    internal static RuleDefinition Picker(
        string name, string formula, Func<RuleArguments, IEndpointPicker> make, bool usesScores = false, bool predictsCosts = false,
        string[]? aliases = null, params RuleParameter[] parameters) =>
        new(RuleKind.Picker, name, formula, make, parameters) { Aliases = [.. aliases ?? []], UsesScores = usesScores, PredictsCosts = predictsCosts };

    internal T Make<T>(RuleDeclaration declared)
        where T : class => (T)_make(new RuleArguments(this, declared));
}

/// <summary>Which part of a profile a rule can be.</summary>
public enum RuleKind
{
    /// <summary>Says which candidates may take a request at all.</summary>
    Filter,

    /// <summary>Says how well each candidate suits a request.</summary>
    Scorer,

    /// <summary>Takes one of the scored candidates.</summary>
    Picker,
}
