using System.Text;
using Mesh.Core.Routing;

namespace Mesh.Simulation.Baselines;

/// <summary>Names of refusals as headers, metrics and reports spell them.</summary>
internal static class RefusalName
{
    private static readonly string[] Names = [.. Enum.GetNames<DecisionReason>().Select(Snake)];

    /// <summary>For example <c>queue_full</c>.</summary>
    public static string Of(DecisionReason reason) => Names[(int)reason];

    private static string Snake(string name)
    {
        var text = new StringBuilder(name.Length + 4);
        foreach (var character in name)
        {
            if (char.IsUpper(character) && text.Length > 0) text.Append('_');
            text.Append(char.ToLowerInvariant(character));
        }

        return text.ToString();
    }
}
