using System.Globalization;
using Mesh.Resources.Diagnostics;

namespace Mesh.Resources.Reading;

/// <summary>Texts, words, booleans and times.</summary>
internal sealed partial class ObjectReader
{
    /// <summary>A text. A plain number or boolean is an error, as in Kubernetes.</summary>
    public Located<string>? String(string name, bool required = false, bool allowEmpty = false, int maxLength = 4096)
    {
        if (Find(name, required) is not { } entry) return null;
        var at = SpotOf(entry);
        if (Text(entry.Value, at) is not { } text) return null;
        if (text.Length == 0 && !allowEmpty)
        {
            Report.Error(at, DiagnosticCodes.EmptyValue, $"{at.Path} must not be empty");
            return null;
        }

        if (text.Length > maxLength)
        {
            Report.Error(at, DiagnosticCodes.OutOfRange, $"{at.Path} has {text.Length} characters; at most {maxLength} are allowed");
            return null;
        }

        return new Located<string>(text, at);
    }

    /// <summary>A boolean.</summary>
    public Located<bool>? Bool(string name)
    {
        if (Find(name) is not { } entry) return null;
        var at = SpotOf(entry);
        if (entry.Value is YamlScalar { IsPlain: true } scalar && ScalarText.IsBoolean(scalar.Text))
            return new Located<bool>(ScalarText.IsTrue(scalar.Text), at);
        WrongType(at, "true or false", entry.Value, QuotedHint(entry.Value));
        return null;
    }

    /// <summary>One of several words.</summary>
    public Located<T>? Choice<T>(string name, IReadOnlyList<(string Text, T Value)> choices, bool required = false)
    {
        if (String(name, required) is not { } text) return null;
        foreach (var choice in choices)
        {
            if (choice.Text == text.Value) return new Located<T>(choice.Value, text.At);
        }

        var names = choices.Select(c => c.Text).ToList();
        var nearest = NearestName.Of(text.Value, names);
        Report.Error(
            text.At, DiagnosticCodes.UnknownValue, $"{text.At.Path} is {text.Value}; it must be one of {string.Join(", ", names)}",
            nearest is null ? null : $"did you mean {nearest}?");
        return null;
    }

    /// <summary>A duration of Gateway API, for example <c>1m30s</c> or <c>500ms</c>.</summary>
    public Located<TimeSpan>? Duration(string name)
    {
        if (Find(name) is not { } entry) return null;
        if (entry.Value is YamlScalar { IsPlain: true } number && ScalarText.IsNumber(number.Text))
        {
            WrongType(SpotOf(entry), "a duration", entry.Value, $"write {number.Text}s for seconds");
            return null;
        }

        if (String(name) is not { } text) return null;
        if (GatewayDuration.TryParse(text.Value, out var value)) return new Located<TimeSpan>(value, text.At);
        Report.Error(
            text.At, DiagnosticCodes.WrongFormat, $"{text.At.Path} is {text.Value}, which is no duration",
            "write up to five digits with h, m, s or ms each, for example 10s or 1m30s");
        return null;
    }

    /// <summary>A time of RFC 3339.</summary>
    public Located<DateTimeOffset>? Timestamp(string name)
    {
        // YAML's timestamps are plain scalars that look like texts, so they are read as texts.
        if (String(name) is not { } text) return null;
        if (DateTimeOffset.TryParse(text.Value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var value))
            return new Located<DateTimeOffset>(value, text.At);
        Report.Error(
            text.At, DiagnosticCodes.WrongFormat, $"{text.At.Path} is {text.Value}, which is no time", "write it as 2026-01-31T12:00:00Z");
        return null;
    }

    private string? Text(YamlNode node, Spot at)
    {
        if (node is YamlScalar scalar && (!scalar.IsPlain || !(ScalarText.IsBoolean(scalar.Text) || ScalarText.IsNumber(scalar.Text))))
            return scalar.Text;
        WrongType(at, "a text", node, node is YamlScalar s ? $"put it in quotes: \"{s.Text}\"" : null);
        return null;
    }

    private static string? QuotedHint(YamlNode node) =>
        node is YamlScalar { IsPlain: false } scalar && (ScalarText.IsNumber(scalar.Text) || ScalarText.IsBoolean(scalar.Text))
            ? $"write {scalar.Text} without quotes"
            : null;
}
