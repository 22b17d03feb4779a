using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>Fields with two names. Both may stand side by side with one value; two different values are an error.</summary>
internal static class Aliases
{
    public static Located<T>? Read<T>(ObjectReader r, string name, string alias, Func<ObjectReader, string, Located<T>?> read, bool warn)
    {
        var own = read(r, name);
        var other = read(r, alias);
        if (other is null) return own;
        if (own is not null && !EqualityComparer<T>.Default.Equals(own.Value, other.Value))
        {
            r.Report.Error(
                other.At, DiagnosticCodes.AliasConflict, $"{alias} is {other.Value}, but {name} is {own.Value} in line {own.At.Line}: they are the same field",
                $"keep {name}");
        }
        else if (warn)
        {
            r.Report.Warning(other.At, DiagnosticCodes.AliasUsed, $"{alias} is read as {name}", $"write {name}");
        }

        return own ?? other;
    }
}
