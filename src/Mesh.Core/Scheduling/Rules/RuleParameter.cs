namespace Mesh.Core.Scheduling.Rules;

/// <summary>One parameter of a rule: a number with its range, or a text.</summary>
/// <param name="Name">Name in declarations: camel case, the unit last.</param>
/// <param name="Summary">What it does, in a few words.</param>
public sealed record RuleParameter(string Name, string Summary)
{
    /// <summary>True for a text; its default is empty.</summary>
    public bool IsText { get; private init; }

    /// <summary>True for a number without fraction.</summary>
    public bool IsWhole { get; private init; }

    /// <summary>Value where a declaration gives none; 0 for a text.</summary>
    public double Default { get; private init; }

    /// <summary>Least value allowed; 0 for a text.</summary>
    public double Least { get; private init; }

    /// <summary>Greatest value allowed; 0 for a text.</summary>
    public double Most { get; private init; }

    /// <summary>A number.</summary>
    public static RuleParameter Number(string name, double @default, double least, double most, string summary) =>
        new(name, summary) { Default = @default, Least = least, Most = most };

    /// <summary>A number without fraction.</summary>
    public static RuleParameter Whole(string name, int @default, int least, int most, string summary) =>
        new(name, summary) { Default = @default, Least = least, Most = most, IsWhole = true };

    /// <summary>A text, empty by default.</summary>
    public static RuleParameter Text(string name, string summary) => new(name, summary) { IsText = true };
}
