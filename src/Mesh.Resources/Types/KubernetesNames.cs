using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>Kubernetes' rules for names, label keys and label values.</summary>
internal static partial class KubernetesNames
{
    public static bool IsName(string text) => text.Length <= 253 && Name().IsMatch(text);

    /// <summary>A host of Gateway API, with or without a leading <c>*.</c>.</summary>
    public static bool IsHostname(string text) =>
        IsName(text.StartsWith("*.", StringComparison.Ordinal) ? text[2..] : text) && !System.Net.IPAddress.TryParse(text, out _);

    public static bool IsHeaderName(string text) => text.Length <= 256 && HeaderName().IsMatch(text);

    public static void CheckLabels(Located<ImmutableSortedDictionary<string, string>> labels, DiagnosticBag report)
    {
        foreach (var (key, value) in labels.Value)
        {
            if (!LabelKey().IsMatch(key))
                report.Error(labels.At, DiagnosticCodes.InvalidLabel, $"{key} is no valid label key in {labels.At.Path}");
            else if (value.Length > 63 || !LabelValue().IsMatch(value))
                report.Error(labels.At, DiagnosticCodes.InvalidLabel, $"\"{value}\" is no valid value of label {key} in {labels.At.Path}");
        }
    }

    /// <summary>True when every label of the selector has its value among the labels.</summary>
    public static bool Selects(ImmutableSortedDictionary<string, string> selector, ImmutableSortedDictionary<string, string> labels)
    {
        foreach (var (key, value) in selector)
        {
            if (!labels.TryGetValue(key, out var actual) || actual != value) return false;
        }

        return true;
    }

    [GeneratedRegex(@"\A[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Name();

    [GeneratedRegex(@"\A([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex LabelKey();

    [GeneratedRegex(@"\A([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex LabelValue();

    [GeneratedRegex(@"\A[A-Za-z0-9!#$%&'*+\-.^_`|~]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex HeaderName();
}
