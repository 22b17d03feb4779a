namespace Mesh.Core.Scheduling.Rules;

/// <summary>The parameters of one declared rule: what the declaration says, else the defaults.</summary>
internal readonly struct RuleArguments(RuleDefinition rule, RuleDeclaration declared)
{
    /// <summary>A number, kept within its range: validation has told of one that was not.</summary>
    public double Number(string name)
    {
        var parameter = rule.Parameter(name) ?? throw new ArgumentException($"Rule {rule.Name} has no parameter {name}.", nameof(name));
        return declared.Numbers.TryGetValue(name, out var value) ? Math.Clamp(value, parameter.Least, parameter.Most) : parameter.Default;
    }

    /// <summary>A number without fraction.</summary>
    public int Whole(string name) => (int)Number(name);

    /// <summary>A text; empty without one.</summary>
    public string Text(string name) => declared.Texts.GetValueOrDefault(name) ?? "";
}
